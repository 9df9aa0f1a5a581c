"""Attention inside packed windows for CPUs in half precision, forward and backward.

Left to autograd, each window's products meet transposed views, which the matrix library copies
every time, and leave a dozen nodes behind. Here query, key and value are laid out once per window
and used by all six products, and one node stands for all windows. Every sum is taken over the same
numbers in the same order as by plain operations, so results are equal to the last bit.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

Sides = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def attend_windows(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], scale: float
) -> torch.Tensor:
    """Scaled dot-product attention inside every window.

    Args:
        query: ``[1, heads, T, size]``, in half precision.
        key: As the query.
        value: As the query.
        lengths: Tokens of each window, T in all.
        scale: Factor on the products of queries and keys.

    Returns:
        ``[1, T, heads, size]``.
    """
    output: torch.Tensor = _WindowAttention.apply(  # type: ignore[no-untyped-call]
        query, key, value, lengths, scale
    )
    return output


class _WindowAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        lengths: list[int],
        scale: float,
    ) -> torch.Tensor:
        ctx.lengths, ctx.scale = lengths, scale
        differentiated = any(ctx.needs_input_grad)
        scaled = query * scale
        output = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format)
        kept = []
        begin = 0
        for length in lengths:
            inside = slice(begin, begin + length)
            begin += length
            sides = query.new_empty(3, query.shape[1], length, query.shape[3])
            for side, whole in zip(sides, (scaled, key, value), strict=True):
                side.copy_(whole[0, :, inside])
            q, k, v = sides
            weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)), -1, dtype=q.dtype)
            output[0, inside].transpose(0, 1).copy_(torch.bmm(weights, v))
            if differentiated:
                kept += [sides, weights]
        ctx.save_for_backward(*kept)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        kept = ctx.saved_tensors
        wholes = gradient.new_empty(3, *gradient.shape)
        begin = 0
        for length, sides, weights in zip(ctx.lengths, kept[::2], kept[1::2], strict=True):
            inside = slice(begin, begin + length)
            begin += length
            of_output = gradient[0, inside].transpose(0, 1).contiguous()
            parts = _gradients(sides, weights, of_output)
            for whole, part in zip(wholes, parts, strict=True):
                whole[0, inside].transpose(0, 1).copy_(part)
        wholes[0] *= ctx.scale
        return *wholes.transpose(2, 3), None, None


def _gradients(sides: torch.Tensor, weights: torch.Tensor, of_output: torch.Tensor) -> Sides:
    """Gradients of scaled query, key and value in one window, ``[heads, length, size]`` each."""
    q, k, v = sides
    of_weights = torch.bmm(of_output, v.transpose(1, 2))
    of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
    return (
        torch.bmm(of_scores, k),
        torch.bmm(of_scores.transpose(1, 2), q),
        torch.bmm(weights.transpose(1, 2), of_output),
    )
