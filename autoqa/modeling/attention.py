"""Attention inside each window of a packed row.

It is registered with transformers' attention interface, so every architecture that dispatches
through the interface can use it. Where an architecture lets tokens see their neighbourhood only,
its own mask for one window, as long as the longest, serves all: each begins at position 0.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import nn
from torch.nested import nested_tensor_from_jagged
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from autoqa.modeling.cpu_attention import attend_windows

ATTENTION = "autoqa_packed"

Mask = torch.Tensor | None
"""Which tokens of the longest window see which, bool ``[1, 1 or heads, longest, longest]``."""

_PLAIN_MASK = AttentionMaskInterface()["sdpa"]

_longest: list[int] = []
"""Tokens of the longest window of each packed pass under way."""


_noticing: list[list[bool]] = []


@contextmanager
def noticed() -> Iterator[list[bool]]:
    """A list that is not empty once something inside has called the attention of this module.

    An architecture with an attention of its own takes the name of any other without a word.
    """
    called: list[bool] = []
    _noticing.append(called)
    try:
        yield called
    finally:
        _noticing.pop()


@contextmanager
def windows_up_to(longest: int) -> Iterator[None]:
    """Masks that a model makes inside are for one window of this many tokens, not for a row."""
    _longest.append(longest)
    try:
        yield
    finally:
        _longest.pop()


def _mask(*_: Any, **arguments: Any) -> Any:
    """A mask of one window in a packed pass, else what transformers makes for its own kernels.

    All that attend to all need none, whatever the length: compiled encoders, in which every number
    read here is a reason to compile anew, stop at that.
    """
    everything = arguments.get("allow_is_bidirectional_skip") and (
        arguments.get("local_size") is None and arguments.get("attention_mask") is None
    )
    if not everything and _longest:
        arguments |= {"q_length": _longest[-1], "kv_length": _longest[-1]}
    return _PLAIN_MASK(*_, **arguments)


def _packed_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Mask,
    dropout: float = 0.0,
    scaling: float | None = None,
    segments: torch.Tensor | None = None,
    **further: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled dot-product attention per window; query, key, value ``[batch, heads, T, size]``.

    ``segments`` are the windows' lengths, on the CPU. Without them this is transformers' own
    attention with the mask, that is the padded forward pass.

    Raises:
        NotImplementedError: The architecture adds to the products what cannot be had per window.
    """
    for called in _noticing:
        called.append(True)
    if further.get("s_aux") is not None:
        raise NotImplementedError("has sinks in its attention")
    if segments is None:
        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **further
        )
        return output, None
    for name in ("softcap", "position_bias"):
        if further.get(name) is not None:
            raise NotImplementedError(f"has a {name} in its attention")
    causal = further.get("is_causal", getattr(module, "is_causal", True))
    if attention_mask is None and causal:
        raise NotImplementedError("reads from left to right")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:  # several heads share one of keys and values
        key, value = (side.repeat_interleave(groups, dim=1) for side in (key, value))
    lengths = segments.tolist()
    if query.is_cuda:
        one_kernel = _attend_jagged if attention_mask is None else _attend_masked
        return one_kernel(query, key, value, lengths, dropout, scaling, attention_mask), None
    half = query.device.type == "cpu" and query.dtype != torch.float32
    if half and not dropout and attention_mask is None:
        scale = scaling if scaling is not None else query.shape[-1] ** -0.5
        return attend_windows(query, key, value, lengths, scale), None
    parts = zip(*(torch.split(t, lengths, dim=2) for t in (query, key, value)), strict=True)
    outputs = [_attend(q, k, v, dropout, scaling, attention_mask) for q, k, v in parts]
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


def _attend_jagged(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: list[int],
    dropout: float,
    scaling: float | None,
    mask: Mask = None,  # noqa: ARG001  (there is none)
) -> torch.Tensor:
    """Attention inside every window by one kernel, ``[1, T, heads, size]``.

    GPUs have fused kernels for windows of different length that stand back to back; a call per
    window would leave most of the device idle.
    """
    offsets = torch.tensor([0, *accumulate(lengths)], device=query.device)
    low, high = min(lengths), max(lengths)

    def jagged(side: torch.Tensor) -> torch.Tensor:
        values = side[0].transpose(0, 1).contiguous()
        made = nested_tensor_from_jagged(values, offsets, min_seqlen=low, max_seqlen=high)
        return made.transpose(1, 2)

    output = nn.functional.scaled_dot_product_attention(
        jagged(query), jagged(key), jagged(value), dropout_p=dropout, scale=scaling
    )
    packed: torch.Tensor = output.transpose(1, 2).values()
    return packed[None]


def _attend_masked(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: list[int],
    dropout: float,
    scaling: float | None,
    mask: Mask,
) -> torch.Tensor:
    """The same where tokens see a part of their window; kernels for jagged rows take no masks."""
    assert mask is not None
    rows = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths)).to(query.device)
    inside = torch.cat([torch.arange(n) for n in lengths]).to(query.device)
    longest = max(lengths)

    def apart(side: torch.Tensor) -> torch.Tensor:
        blank = side.new_zeros(len(lengths), longest, side.shape[1], side.shape[3])
        return blank.index_put((rows, inside), side[0].transpose(0, 1)).transpose(1, 2)

    there = torch.arange(longest, device=query.device) < torch.tensor(
        lengths, device=query.device
    ).unsqueeze(1)
    seen = mask[..., :longest, :longest] & there[:, None, None]
    output = nn.functional.scaled_dot_product_attention(
        apart(query), apart(key), apart(value), attn_mask=seen, dropout_p=dropout, scale=scaling
    )
    return output.transpose(1, 2)[rows, inside][None]


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
    mask: Mask = None,
) -> torch.Tensor:
    """Attention inside one window.

    On a CPU in half precision plain matrix products over the whole window, which fits into memory
    easily, take three quarters of the fused kernel's time from 64 tokens on, and a third of it
    with the backward pass. With dropout there is no fused kernel for CPUs in any precision.
    """
    seen = None if mask is None else mask[..., : query.shape[2], : query.shape[2]]
    if query.device.type != "cpu" or (query.dtype == torch.float32 and not dropout):
        return nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=dropout, scale=scaling
        )
    q, k, v = (t.flatten(0, 1) for t in (query, key, value))
    scale = scaling if scaling is not None else q.shape[-1] ** -0.5
    scores = torch.bmm(q * scale, k.transpose(1, 2))
    if seen is not None:
        scores = scores.masked_fill(~seen.expand(1, query.shape[1], -1, -1)[0], float("-inf"))
    weights = torch.softmax(scores, -1, dtype=q.dtype)
    if dropout:
        weights = weights * _dropout_mask(weights, dropout)
    return torch.bmm(weights, v).view_as(query)


def _dropout_mask(weights: torch.Tensor, rate: float) -> torch.Tensor:
    """What dropout multiplies with: 0, or the inverse of the share that is kept.

    On a CPU drawing is what dropout's time goes into, so each draw of 64 bits decides on eight
    weights; the rate is rounded to a 256th for that.
    """
    cut = round(256 * rate)
    draws = torch.empty(-(-weights.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    survivors = draws.view(torch.uint8)[: weights.numel()].view_as(weights) >= cut
    return survivors.to(weights.dtype).mul_(256 / (256 - cut))


AttentionInterface.register(ATTENTION, _packed_attention)
AttentionMaskInterface.register(ATTENTION, _mask)


def exclude_attention_from_compilation() -> None:
    """Lets compiled encoders call the packed attention as it is.

    Traced, its loop over windows would be compiled anew for every number of windows.
    """
    plain = torch.compiler.disable(_packed_attention)  # type: ignore[no-untyped-call]
    AttentionInterface.register(ATTENTION, plain)
