"""The winning span of every question for any blend of one group's candidates.

A blend's score of a span is the sum of its members' scores. Selection asks for a blend with one
further seat, for each of many contenders at once. As members add up, most questions are decided:
no contender prefers another span by so much as the leading one is ahead. Those are found by a bound
that is exact, and only the spans that could still win are summed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.decoding.span_search import ranks

_SLACK = 1e-6
"""Far above the rounding of the sums: a span is dropped only if it cannot win."""


class Blends:
    """Scores of M candidates for the S spans of Q questions.

    Args:
        sums: Score of each span for each candidate, finite, float64 ``[M, S]``.
        example: Question of each span, ascending; every question has one at least, ``[S]``.

    Attributes:
        sums: As given.
        example: As given.
    """

    def __init__(self, sums: Doubles, example: Indices) -> None:
        # Two layouts: one for adding up members, one for looking at few spans of all candidates.
        self.sums, self._by_span = np.ascontiguousarray(sums), np.ascontiguousarray(sums.T)
        self.example = example
        self._begin = np.flatnonzero(np.diff(example, prepend=-1))
        self._leader = np.full(len(self._begin), -1)
        self._ahead = np.zeros(len(example))

    def choose(self, seats: Sequence[int]) -> Indices:
        """Number of the winning span of each question, the first of equals, int64 ``[Q]``.

        Args:
            seats: The blend's candidates, one number for each seat.
        """
        return self._leading(self._blend(seats))

    def choose_with_each(
        self, seats: Sequence[int], wanted: npt.NDArray[np.bool_]
    ) -> tuple[Indices, Indices, Indices]:
        """The same for M blends: each candidate has one seat more in one of them.

        Args:
            seats: What all blends have in common; there may be none.
            wanted: Questions whose winners are wanted, ``[Q]``.

        Returns:
            Winners of the blend without a further seat, ``[Q]``; the questions among those asked
            that some seat could decide otherwise, ascending, ``[N]``; and the winners of these,
            ``[M, N]``.
        """
        base = self._blend(seats)
        leader = self._leading(base)
        behind = base[leader][self.example] - base
        possible = (self._most_ahead(leader) >= behind - _SLACK) & wanted[self.example]
        spans = np.flatnonzero(possible)
        totals = self._by_span[spans] + base[spans, None]
        questions, parts = [], []
        for rows, places in _tables(self.example[spans]):
            won = places[np.arange(len(places))[:, None], _highest(totals, places)]
            questions.append(rows)
            parts.append(spans[won])
        if not parts:
            return leader, np.zeros(0, np.int64), np.zeros((len(self.sums), 0), np.int64)
        contested = np.concatenate(questions)
        order = np.argsort(contested)
        return leader, contested[order], np.ascontiguousarray(np.concatenate(parts)[order].T)

    def _blend(self, seats: Sequence[int]) -> Doubles:
        total = np.zeros(len(self.example))
        for candidate in seats:
            total += self.sums[candidate]
        return total

    def _leading(self, total: Doubles) -> Indices:
        highest = np.maximum.reduceat(total, self._begin)
        hits = np.flatnonzero(total == highest[self.example])
        leading: Indices = hits[np.searchsorted(hits, self._begin)]
        return leading

    def _most_ahead(self, leader: Indices) -> Doubles:
        """By how much the candidate that likes it best puts each span ahead of the leader, ``[S]``.

        Leaders seldom change from one call to the next, so earlier results are kept.
        """
        stale = np.flatnonzero((self._leader != leader)[self.example])
        if len(stale):
            theirs = leader[self.example[stale]]
            self._ahead[stale] = (self._by_span[stale] - self._by_span[theirs]).max(axis=1)
            self._leader = leader
        return self._ahead


def _tables(example: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Questions with two spans or more, those with like many together.

    Args:
        example: Question of each span, ascending, ``[S]``.

    Yields:
        Questions ``[R]`` and positions of their spans, in order, ``[R, L]``; the last is repeated
        where there are fewer, which changes no winner.
    """
    questions, begin, counts = np.unique(example, return_index=True, return_counts=True)
    sizes = np.frexp(counts - 1)[1]  # 0 for one span, 1 for two, 2 for up to four, and so on
    for size in np.unique(sizes[sizes > 0]).tolist():
        rows = np.flatnonzero(sizes == size)
        columns = np.minimum(np.arange(int(counts[rows].max())), counts[rows][:, None] - 1)
        yield questions[rows], begin[rows][:, None] + columns


def _highest(totals: Doubles, places: Indices) -> Indices:
    """Column of the highest total, the first of equals, ``[R, M]``.

    Column by column, because numpy looks for maxima of many short rows five times more slowly.

    Args:
        totals: ``[S, M]``.
        places: Rows of ``totals``, ``[R, L]``.
    """
    best = totals[places[:, 0]]
    won = np.zeros(best.shape, np.int64)
    for column in range(1, places.shape[1]):
        other = totals[places[:, column]]
        won[other > best] = column
        np.maximum(best, other, out=best)
    return won


def unbeaten(sums: npt.NDArray[np.floating], example: Indices) -> Indices:
    """Spans that may win some blend, ascending.

    A span is beaten by one of its question that scores higher for every candidate, or no lower and
    stands before it, as the first of equals wins. Only a few leading spans are tried as winners.

    Args:
        sums: Score of each span for each candidate, ``[M, S]``.
        example: Question of each span, ascending, ``[S]``.
    """
    order = np.lexsort((-sums.sum(axis=0), example))
    example, sums = example[order], sums[:, order]
    left = np.arange(len(order))
    for rank in range(8):
        places = ranks(example[left])
        rivals = left[places == rank]
        leader = np.full(int(example.max(initial=-1)) + 1, -1)
        leader[example[rivals]] = rivals
        rival = leader[example[left]]
        tried = np.flatnonzero((places > rank) & (rival >= 0))
        ours, theirs = sums[:, left[tried]], sums[:, rival[tried]]
        before = order[rival[tried]] < order[left[tried]]
        beaten = (theirs > ours).all(axis=0) | (before & (theirs >= ours).all(axis=0))
        left = np.delete(left, tried[beaten])
    return np.sort(order[left])
