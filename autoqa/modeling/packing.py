"""Packed batches: windows back to back in one row.

A padded batch computes on padding; a packed one has none.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from autoqa.decoding.span_search import MAX_ANSWER_TOKENS
from autoqa.features.windows import Windows


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
        unhidden: Token ids before augmentations hid or replaced some, int64 ``[T]``; ``None`` where
            none did.
        max_answer_tokens: Most tokens in an answer that is looked for in the windows.
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
    unhidden: torch.Tensor | None = None
    max_answer_tokens: int = MAX_ANSWER_TOKENS
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
            max_answer_tokens=self.max_answer_tokens,
            lower=None if self.lower is None else self.lower[inside],
        )

    def windows(self) -> "list[Batch]":
        """Each window as a batch of its own, untaught."""
        return [self.window(number) for number in range(len(self.lengths))]

    def pad(self, flat: torch.Tensor, fill: float) -> torch.Tensor:
        """Turns ``[T, ...]`` into ``[W, longest, ...]``."""
        return nn.utils.rnn.pad_sequence(
            list(torch.split(flat, self.lengths)), batch_first=True, padding_value=fill
        )

    def question(self, padded_ids: torch.Tensor, separator: int | None) -> torch.Tensor:
        """Tokens before the first separator or context token, int64 ``[W, longest]``.

        They see all and are seen by all in Longformer, whose own question-answering class finds
        them so, but refuses other numbers of separators than three.

        Args:
            padded_ids: The windows' tokens, ``[W, longest]``.
            separator: The token that stands between question and context, where it is known.
        """
        context = self.pad((self.allowed & (self.positions > 0)).long(), 1) > 0
        ended = context if separator is None else context | (padded_ids == separator)
        return (ended.cumsum(1) == 0).long()

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
        input_ids=_ids(windows.input_ids).to(device),
        type_ids=_ids(windows.type_ids).to(device),
        lengths=windows.lengths.tolist(),
        allowed=torch.from_numpy(allowed).to(device),
        label=torch.from_numpy(windows.label.astype(np.int64)).to(device),
        starts_word=torch.from_numpy(windows.starts_word).to(device),
        teacher=None if soft is None else _tensor(soft.log_probability).to(device),
        weight=None if soft is None else _tensor(soft.weight).to(device),
        unhidden=None if windows.unhidden is None else _ids(windows.unhidden).to(device),
        max_answer_tokens=windows.max_answer_tokens,
    )


def _ids(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.int64))


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float32))
