"""Packed batches: windows back to back in one row, attention inside each window only.

A padded batch computes on padding; a packed one has none. The attention is registered with
transformers' attention interface, so every architecture that dispatches through the interface can
use it.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nested import nested_tensor_from_jagged
from transformers import AttentionInterface, AttentionMaskInterface

from autoqa.features.windows import Windows
from autoqa.modeling.cpu_attention import attend_windows

ATTENTION = "autoqa_packed"


def _packed_attention(
    module: nn.Module,  # noqa: ARG001
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    segments: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled dot-product attention per window; query, key, value ``[batch, heads, T, size]``.

    ``segments`` are the windows' lengths, on the CPU. Without them this is plain attention with
    the mask, that is the padded forward pass.
    """
    if segments is None:
        output = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
        )
        return output.transpose(1, 2).contiguous(), None
    lengths = segments.tolist()
    if query.is_cuda:
        return _attend_jagged(query, key, value, lengths, dropout, scaling), None
    if query.device.type == "cpu" and query.dtype != torch.float32 and not dropout:
        scale = scaling if scaling is not None else query.shape[-1] ** -0.5
        return attend_windows(query, key, value, lengths, scale), None
    parts = zip(*(torch.split(t, lengths, dim=2) for t in (query, key, value)), strict=True)
    outputs = [_attend(q, k, v, dropout, scaling) for q, k, v in parts]
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


def _attend_jagged(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: list[int],
    dropout: float,
    scaling: float | None,
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


def _attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """Attention inside one window.

    On a CPU in half precision plain matrix products over the whole window, which fits into memory
    easily, take three quarters of the fused kernel's time from 64 tokens on, and a third of it
    with the backward pass. With dropout there is no fused kernel for CPUs in any precision.
    """
    if query.device.type != "cpu" or (query.dtype == torch.float32 and not dropout):
        return nn.functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, scale=scaling
        )
    q, k, v = (t.flatten(0, 1) for t in (query, key, value))
    scale = scaling if scaling is not None else q.shape[-1] ** -0.5
    weights = torch.softmax(torch.bmm(q * scale, k.transpose(1, 2)), -1, dtype=q.dtype)
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
AttentionMaskInterface.register(ATTENTION, AttentionMaskInterface()["sdpa"])


def exclude_attention_from_compilation() -> None:
    """Lets compiled encoders call the packed attention as it is.

    Traced, its loop over windows would be compiled anew for every number of windows.
    """
    plain = torch.compiler.disable(_packed_attention)  # type: ignore[no-untyped-call]
    AttentionInterface.register(ATTENTION, plain)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some windows as tensors on a device, back to back.

    Attributes:
        input_ids: int64 ``[T]``.
        type_ids: int64 ``[T]``.
        lengths: Tokens of each window.
        allowed: Tokens that an answer may start or end at (the context) and the first token of
            each window, which stands for "no answer"; bool ``[T]``.
        label: First and last answer token inside the window, int64 ``[W, 2]``.
        starts_word: Tokens that are the first of a word of the context, or of the part of one that
            the window begins with; bool ``[T]``.
        teacher: Log-probabilities of starts and of ends, float32 ``[T, 2]``, and
        weight: how much label and teacher count, float32 ``[W, 2]``; see
            :class:`autoqa.features.windows.SoftTargets`. ``None`` where labels alone teach.
        lower: What the model's frozen layers make of the windows, float32 ``[T, H]``; where it is
            given, the model begins above them.
    """

    input_ids: torch.Tensor
    type_ids: torch.Tensor
    lengths: list[int]
    allowed: torch.Tensor
    label: torch.Tensor
    starts_word: torch.Tensor
    teacher: torch.Tensor | None = None
    weight: torch.Tensor | None = None
    lower: torch.Tensor | None = None

    @property
    def positions(self) -> torch.Tensor:
        """Position of each token in its window, int64 ``[T]``."""
        return torch.cat([torch.arange(n) for n in self.lengths]).to(self.input_ids.device)

    @property
    def rows(self) -> torch.Tensor:
        """Window of each token, int64 ``[T]``."""
        lengths = torch.tensor(self.lengths)
        return torch.arange(len(lengths)).repeat_interleave(lengths).to(self.input_ids.device)

    def tokens(self, inside: torch.Tensor) -> torch.Tensor:
        """Turns one position inside each window, int64 ``[W]``, into positions in the batch."""
        lengths = torch.tensor(self.lengths)
        return inside + (lengths.cumsum(0) - lengths).to(inside.device)

    def window(self, number: int) -> "Batch":
        """The tokens of one of the windows as a batch of its own, untaught."""
        begin = sum(self.lengths[:number])
        inside = slice(begin, begin + self.lengths[number])
        return Batch(
            input_ids=self.input_ids[inside],
            type_ids=self.type_ids[inside],
            lengths=[self.lengths[number]],
            allowed=self.allowed[inside],
            label=self.label[number : number + 1],
            starts_word=self.starts_word[inside],
        )

    def pad(self, flat: torch.Tensor, fill: float) -> torch.Tensor:
        """Turns ``[T, ...]`` into ``[W, longest, ...]``."""
        return nn.utils.rnn.pad_sequence(
            list(torch.split(flat, self.lengths)), batch_first=True, padding_value=fill
        )

    def unpad(self, padded: torch.Tensor) -> torch.Tensor:
        """Turns ``[W, longest, ...]`` into ``[T, ...]``."""
        return torch.cat([row[:n] for row, n in zip(padded, self.lengths, strict=True)])


def context_tokens(windows: Windows) -> np.ndarray:
    """Which tokens belong to a context, bool ``[T]``."""
    return tokens_between(windows, windows.context[:, 0], windows.context[:, 1])


def tokens_between(windows: Windows, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Which tokens lie in each window's range, bool ``[T]``.

    Args:
        windows: W windows with T tokens.
        first: First token of the range, counted inside the window, ``[W]``.
        last: One past its last token, ``[W]``.
    """
    positions = np.arange(len(windows.input_ids)) - np.repeat(windows.bounds[:-1], windows.lengths)
    begin, end = np.repeat(first, windows.lengths), np.repeat(last, windows.lengths)
    inside: np.ndarray = (positions >= begin) & (positions < end)
    return inside


def make_batch(windows: Windows, device: torch.device) -> Batch:
    """All of the given windows as one batch."""
    allowed = context_tokens(windows)
    allowed[windows.bounds[:-1]] = True
    soft = windows.soft
    return Batch(
        input_ids=torch.from_numpy(windows.input_ids.astype(np.int64)).to(device),
        type_ids=torch.from_numpy(windows.type_ids.astype(np.int64)).to(device),
        lengths=windows.lengths.tolist(),
        allowed=torch.from_numpy(allowed).to(device),
        label=torch.from_numpy(windows.label.astype(np.int64)).to(device),
        starts_word=torch.from_numpy(windows.starts_word).to(device),
        teacher=None if soft is None else _tensor(soft.log_probability).to(device),
        weight=None if soft is None else _tensor(soft.weight).to(device),
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))
