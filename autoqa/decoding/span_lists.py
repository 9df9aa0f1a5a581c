"""The n best spans of many examples as arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from autoqa.arrays import Doubles, Indices
from autoqa.types import Span


@dataclass(frozen=True, slots=True, eq=False)
class SpanLists:
    """A list of spans for every example, best first; ``lists[row]`` makes the spans of one.

    Making a :class:`Span` and its text takes longer than finding it, and few lists are looked at.

    Attributes:
        contexts: Context of each example.
        bounds: Spans of example i are ``bounds[i]:bounds[i + 1]``, int64 ``[len(contexts) + 1]``.
        start: First character of each span, int64 ``[S]``.
        end: One past its last character, int64 ``[S]``.
        score: Probability of each span, float64 ``[S]``.
    """

    contexts: Sequence[str]
    bounds: Indices
    start: Indices
    end: Indices
    score: Doubles

    def __len__(self) -> int:
        return len(self.contexts)

    def __getitem__(self, row: int) -> list[Span]:
        row = range(len(self))[row]
        which = slice(self.bounds[row], self.bounds[row + 1])
        return self._spans(which, [self.contexts[row]] * len(self.start[which]))

    def __iter__(self) -> Iterator[list[Span]]:
        counts = np.diff(self.bounds).tolist()
        owners = [c for c, n in zip(self.contexts, counts, strict=True) for _ in range(n)]
        spans = self._spans(slice(None), owners)
        for begin, end in pairwise(self.bounds.tolist()):
            yield spans[begin:end]

    def _spans(self, which: slice, owners: list[str]) -> list[Span]:
        places = self.start[which].tolist(), self.end[which].tolist()
        return make_spans(owners, *places, self.score[which].tolist())


def make_spans(
    contexts: Sequence[str], starts: list[int], ends: list[int], scores: list[float]
) -> list[Span]:
    """Spans with their texts from one context, first character, end and score for each."""
    texts = [context[a:b] for context, a, b in zip(contexts, starts, ends, strict=True)]
    return list(map(Span, starts, ends, scores, texts))
