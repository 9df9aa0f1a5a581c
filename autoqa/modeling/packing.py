"""Packed batches: windows back to back in one row, attention inside each window only.

A padded batch computes on padding; a packed one has none. The attention is registered with
transformers' attention interface, so every architecture that dispatches through the interface can
use it. Whether a model really computes the same packed and padded is probed once, after loading.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface

from autoqa.features.windows import Windows

ATTENTION = "autoqa_packed"


def _packed_attention(
    module: nn.Module,  # noqa: ARG001
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    segments: list[int] | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Scaled dot-product attention per window; query, key, value ``[batch, heads, T, size]``.

    Without ``segments`` this is plain attention with the mask, that is the padded forward pass.
    """
    if segments is None:
        output = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling
        )
        return output.transpose(1, 2).contiguous(), None
    parts = zip(*(torch.split(t, segments, dim=2) for t in (query, key, value)), strict=True)
    outputs = [_attend(q, k, v, dropout, scaling) for q, k, v in parts]
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous(), None


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
    with the backward pass.
    """
    if query.device.type != "cpu" or query.dtype == torch.float32:
        return nn.functional.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, scale=scaling
        )
    q, k, v = (t.flatten(0, 1) for t in (query, key, value))
    scale = scaling if scaling is not None else q.shape[-1] ** -0.5
    weights = torch.softmax(torch.bmm(q * scale, k.transpose(1, 2)), -1, dtype=q.dtype)
    return torch.bmm(nn.functional.dropout(weights, dropout), v).view_as(query)


AttentionInterface.register(ATTENTION, _packed_attention)
AttentionMaskInterface.register(ATTENTION, AttentionMaskInterface()["sdpa"])


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
    """

    input_ids: torch.Tensor
    type_ids: torch.Tensor
    lengths: list[int]
    allowed: torch.Tensor
    label: torch.Tensor

    @property
    def positions(self) -> torch.Tensor:
        """Position of each token in its window, int64 ``[T]``."""
        return torch.cat([torch.arange(n) for n in self.lengths]).to(self.input_ids.device)

    def pad(self, flat: torch.Tensor, fill: float) -> torch.Tensor:
        """Turns ``[T]`` into ``[W, longest]``."""
        return nn.utils.rnn.pad_sequence(
            list(torch.split(flat, self.lengths)), batch_first=True, padding_value=fill
        )

    def unpad(self, padded: torch.Tensor) -> torch.Tensor:
        """Turns ``[W, longest]`` into ``[T]``."""
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
    return Batch(
        input_ids=torch.from_numpy(windows.input_ids.astype(np.int64)).to(device),
        type_ids=torch.from_numpy(windows.type_ids.astype(np.int64)).to(device),
        lengths=windows.lengths.tolist(),
        allowed=torch.from_numpy(allowed).to(device),
        label=torch.from_numpy(windows.label.astype(np.int64)).to(device),
    )


class SpanModel(nn.Module):
    """A transformers question-answering model behind one packed-or-padded forward pass.

    Attributes:
        inner: The transformers model, with ``start_logits`` and ``end_logits`` in its output.
        packs: Whether it computes the same packed as padded.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
        self.takes_types = "token_type_ids" in inspect.signature(inner.forward).parameters
        embeddings = getattr(inner.base_model, "embeddings", None)
        # RoBERTa-like models count positions from padding_idx + 1.
        roberta_like = hasattr(embeddings, "create_position_ids_from_input_ids")
        self.first_position = int(inner.config.pad_token_id) + 1 if roberta_like else 0
        self.packs = _packs(self)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.inner.device
        return device

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of every token as the first and as the last of the answer, float ``[T]`` each."""
        return self.forward_packed(batch) if self.packs else self.forward_padded(batch)

    def forward_packed(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """One row, no padding."""
        output = self.inner(
            input_ids=batch.input_ids[None],
            position_ids=batch.positions[None] + self.first_position,
            segments=batch.lengths,
            **self._types(batch.type_ids[None]),
        )
        return output.start_logits[0].float(), output.end_logits[0].float()

    def forward_padded(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """One row per window, padded to the longest."""
        pad_id = self.inner.config.pad_token_id or 0
        output = self.inner(
            input_ids=batch.pad(batch.input_ids, pad_id),
            attention_mask=batch.pad(torch.ones_like(batch.input_ids), 0),
            **self._types(batch.pad(batch.type_ids, 0)),
        )
        return batch.unpad(output.start_logits).float(), batch.unpad(output.end_logits).float()

    def _types(self, type_ids: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"token_type_ids": type_ids} if self.takes_types else {}


def _packs(model: SpanModel) -> bool:
    """Compares packed and padded logits on two made-up windows of different length."""
    if model.inner.config._attn_implementation != ATTENTION:
        return False
    # Padding has no position of its own in some families, so the padding token is not among them.
    pad_id = model.inner.config.pad_token_id or 0
    ids = (torch.arange(1, 13, device=model.device) + pad_id) % model.inner.config.vocab_size
    batch = Batch(ids, torch.zeros_like(ids), [7, 5], ids >= 0, torch.zeros(2, 2))
    was_training = model.inner.training
    model.inner.eval()
    try:
        with torch.no_grad():
            packed, padded = model.forward_packed(batch), model.forward_padded(batch)
    except TypeError:  # the architecture does not hand the segments down to its attention
        return False
    finally:
        model.inner.train(was_training)
    return all(torch.allclose(a, b, atol=1e-4) for a, b in zip(packed, padded, strict=True))
