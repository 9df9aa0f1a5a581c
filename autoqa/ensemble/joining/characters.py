"""Models of different tokenizers joined over the characters of the context.

For each model the start logits of all windows of a question share one softmax, the end logits
another. A token's start probability belongs to its first character, its end probability to its
last, white space left out; what several windows say of one character adds up. Averaged over all
models this gives two distributions over the characters of the context, and a span's score is
P(start) * P(end), as in the second and fifth place's systems of the chaii competition.

The search is exact over all spans that are within reach: from any start, as far as the most tokens
that its windows allow lead in the tokenizer and window in which they lead farthest. Begin and end
may come from different models and windows. Equal scores rank by start, then by end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autoqa.arrays import Doubles, Indices, LogitPair
from autoqa.decoding.decoder import EMPTY
from autoqa.decoding.span_lists import make_spans
from autoqa.decoding.span_search import SpanGrid, WindowsLike
from autoqa.text.whitespace import Texts
from autoqa.types import Span


@dataclass(frozen=True, slots=True)
class GroupLogits:
    """Models that see the same windows.

    Attributes:
        windows: Windows of all questions.
        logits: Start and end logits of each model.
        seats: How much each model counts, above 0.
    """

    windows: WindowsLike
    logits: Sequence[LogitPair]
    seats: Sequence[float]


class CharacterMass(NamedTuple):
    """Probability at places, which count through the characters of all contexts.

    Context i begins at the sum of the lengths of those before it, each one longer than it is: its
    end is a place, too.

    Attributes:
        place: Ascending and without repetition once merged, int64 ``[N]``.
        value: float64 ``[N]``.
        reach: Last place at which a span that begins here may end, int64 ``[N]``.
    """

    place: Indices
    value: Doubles
    reach: Indices


def character_spans(groups: Sequence[GroupLogits], contexts: Sequence[str]) -> list[Span]:
    """The best span of every context; the empty span where no span has any probability.

    Args:
        groups: All models, at least one.
        contexts: Context of each question.

    Raises:
        ValueError: Seats are not positive, or not one for each model.
        DataError: Logits are not numbers, or were made for other windows.
    """
    begin = context_begins(contexts)
    return _best_spans(*character_distributions(groups, contexts), contexts, begin)


def context_begins(contexts: Sequence[str]) -> Indices:
    """Place of each context's first character, and behind them the number of places."""
    return np.cumsum([0, *(len(context) + 1 for context in contexts)])


def character_distributions(
    groups: Sequence[GroupLogits], contexts: Sequence[str], reach: int | None = None
) -> tuple[CharacterMass, CharacterMass]:
    """Where answers start, and where they end (one past the last character).

    Arguments and errors are those of :func:`character_spans`; ``reach`` is that of
    :class:`autoqa.decoding.span_search.SpanGrid`. Each of the two sums to 1 over a context, less
    what tokens of white space alone hold.
    """
    seats = [seat for group in groups for seat in group.seats]
    if len(seats) != sum(len(group.logits) for group in groups) or not all(s > 0 for s in seats):
        raise ValueError(f"seats {seats}: one above 0 for each model")
    begin = context_begins(contexts)
    texts = Texts(contexts)
    parts = [_distributions(group, texts, begin, reach, sum(seats)) for group in groups]
    return _merged([start for start, _ in parts]), _merged([end for _, end in parts])


def _distributions(
    group: GroupLogits, texts: Texts, begin: Indices, most: int | None, total: float
) -> tuple[CharacterMass, CharacterMass]:
    """One group's part of the start and of the end distribution."""
    grid = SpanGrid(group.windows, most)
    row = grid.owners
    first, last = texts.inward(row, *grid.offsets.T)
    # Scored by the place where it ends, the best span is the one that reaches farthest.
    high = grid.offsets[:, 1].astype(np.float64)
    farthest = grid.totals(np.zeros(grid.size), high).astype(np.int64)
    start, end = np.zeros(grid.size), np.zeros(grid.size)
    for logits, seat in zip(group.logits, group.seats, strict=True):
        for sum_, side in ((start, logits[0]), (end, logits[1])):
            packed = grid.pack(side)
            scale = np.repeat(grid.log_partition(packed), np.diff(grid.begin))
            sum_ += np.exp(packed - scale) * (seat / total)
    reach = begin[row] + farthest
    started = np.flatnonzero((start > 0) & (begin[row] + first < begin[row + 1] - 1))
    ended = np.flatnonzero((end > 0) & (last > 0))
    return (
        CharacterMass((begin[row] + first)[started], start[started], reach[started]),
        CharacterMass((begin[row] + last)[ended], end[ended], reach[ended]),
    )


def _merged(parts: Sequence[CharacterMass]) -> CharacterMass:
    """One entry for each place: the sum of its values and its farthest reach."""
    place, value, reach = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(place, kind="stable")
    place = place[order]
    leader = np.flatnonzero(np.diff(place, prepend=-1))
    if not len(leader):
        return CharacterMass(place, value, reach)
    return CharacterMass(
        place[leader],
        np.add.reduceat(value[order], leader),
        np.maximum.reduceat(reach[order], leader),
    )


def _best_spans(
    starts: CharacterMass, ends: CharacterMass, contexts: Sequence[str], begin: Indices
) -> list[Span]:
    """The span with the highest product of start and end in every context."""
    answers = [EMPTY] * len(contexts)
    row = np.searchsorted(begin, starts.place, side="right") - 1
    low = np.searchsorted(ends.place, starts.place, side="right")
    high = np.maximum(low, np.searchsorted(ends.place, starts.reach, side="right"))
    total = starts.value * _highest(ends.value, low, high)
    rows, leader = np.unique(row, return_index=True)
    if not len(rows):
        return answers
    best = np.maximum.reduceat(total, leader)
    hits = np.flatnonzero(total == np.repeat(best, np.diff(leader, append=len(total))))
    chosen = hits[np.searchsorted(hits, leader)]
    likely = np.flatnonzero(best > 0)
    rows, chosen = rows[likely], chosen[likely]
    stop = [
        a + int(np.argmax(ends.value[a:b])) for a, b in zip(low[chosen], high[chosen], strict=True)
    ]
    spans = make_spans(
        [contexts[i] for i in rows],
        (starts.place[chosen] - begin[rows]).tolist(),
        (ends.place[stop] - begin[rows]).tolist(),
        best[likely].tolist(),
    )
    for i, span in zip(rows.tolist(), spans, strict=True):
        answers[i] = span
    return answers


def _highest(values: Doubles, low: Indices, high: Indices) -> Doubles:
    """Maximum of ``values[low:high]`` for many ranges, 0 where one is empty.

    Two ranges of a power of two cover any range; their maxima are made level by level (the sparse
    table of Bender and Farach-Colton, The LCA Problem Revisited, 2000).
    """
    highest, size = np.zeros(len(low)), high - low
    table, width = values, 1
    while width <= size.max(initial=0):
        now = np.flatnonzero((size >= width) & (size < 2 * width))
        highest[now] = np.maximum(table[low[now]], table[high[now] - width])
        table, width = np.maximum(table[:-width], table[width:]), 2 * width
    return highest
