"""Logits of context tokens laid out so that spans can be searched in whole arrays.

The search is exact, not limited to the best twenty starts and ends of each window as in the
run_qa example of transformers. For every start the best end within reach is found by a sliding
maximum; the k best spans of an example can only begin at the k starts that lead in this, and only
those starts are paired with all their ends. Equal scores rank by window, then start, then end.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from autoqa.arrays import Doubles, Floats, Indices
from autoqa.errors import DataError

_MOST = -2 * float(np.finfo(np.float32).min)
"""Minus the sum of two logits is no greater."""

MAX_ANSWER_TOKENS = 48
"""Most tokens in an answer of windows that say nothing else, as those of version 0.1.0 do not."""

_BLOCK = 128
"""Examples searched together: large enough for numpy, small enough for the processor's cache."""


class WindowsLike(Protocol):
    """What decoding needs of :class:`autoqa.features.windows.Windows`."""

    @property
    def bounds(self) -> npt.NDArray[np.int64]:
        """Window w is tokens ``bounds[w]:bounds[w + 1]``."""
        ...

    @property
    def example(self) -> npt.NDArray[np.int32]:
        """Row of each window's example."""
        ...

    @property
    def context(self) -> npt.NDArray[np.int32]:
        """First and one-past-last context token, counted inside the window."""
        ...

    @property
    def offsets(self) -> npt.NDArray[np.int32]:
        """First and one-past-last character of each token."""
        ...

    @property
    def max_answer_tokens(self) -> int:
        """Most tokens in an answer, 1 or more."""
        ...


class TokenSpans(NamedTuple):
    """Spans as positions in a :class:`SpanGrid`, best first within an example.

    Attributes:
        example: Position of the example in ``SpanGrid.rows``, ascending, int64 ``[S]``.
        first: Cell of the first token, int64 ``[S]``.
        last: Cell of the last token (inclusive), int64 ``[S]``.
        total: Start logit plus end logit, float64 ``[S]``.
    """

    example: Indices
    first: Indices
    last: Indices
    total: Doubles

    def pick(self, which: Indices | npt.NDArray[np.bool_]) -> "TokenSpans":
        """Some of the spans, in the given order."""
        example, first, last, total = self
        return TokenSpans(example[which], first[which], last[which], total[which])

    @classmethod
    def joined(cls, parts: Sequence["TokenSpans"]) -> "TokenSpans":
        """Spans of different examples in one, ordered by example."""
        none = np.zeros(0, np.int64)
        fields = zip(cls(none, none, none, np.zeros(0)), *parts, strict=True)
        together = cls(*map(np.concatenate, fields))
        return together.pick(np.argsort(together.example, kind="stable"))


class SpanGrid:
    """The context tokens of a fixed set of windows in a row of cells.

    Context tokens stand example by example; every window is followed by as many empty cells
    (logit minus infinity) as a span may reach past its last token, so that no span ever crosses
    from one window into the next.

    Args:
        windows: Windows of all examples, in any order.
        reach: Most tokens of a span; left out, what the windows say. Who searches no spans needs no
            more than 1.

    Attributes:
        reach: Most tokens of a span, never more than a window holds.
        size: Number of cells S.
        offsets: Characters of each cell's token, int32 ``[S, 2]``.
        rows: Examples that have any context token, ascending, int64 ``[R]``.
        begin: Cells of ``rows[i]`` are ``begin[i]:begin[i + 1]``, int64 ``[R + 1]``.
        window_begin: First cell of each window that has any, ascending, int64 ``[W]``.
        window_first: First token of each of these windows, which stands for "no answer here".
    """

    def __init__(self, windows: WindowsLike, reach: int | None = None) -> None:
        most = windows.max_answer_tokens if reach is None else reach
        if most < 1:
            raise ValueError(f"max_answer_tokens is {most}; it must be 1 or more")
        self.tokens = int(windows.bounds[-1])
        count = (windows.context[:, 1] - windows.context[:, 0]).astype(np.int64)
        self.reach = min(most, max(1, int(count.max(initial=1))))
        used = np.flatnonzero(count > 0)
        order = used[np.argsort(windows.example[used], kind="stable")]
        count, example = count[order], windows.example[order].astype(np.int64)
        first_token = windows.bounds[:-1][order] + windows.context[order, 0]
        sizes = count + (self.reach - 1)
        self.size, ends = int(sizes.sum()), np.cumsum(sizes)
        self._source = np.arange(self.size) + np.repeat(first_token - (ends - sizes), sizes)
        empty = (ends[:, None] - np.arange(1, self.reach)).ravel()
        self._source[empty] = self.tokens  # one past the last
        # With mode "clip" taking is twice as fast, rows even fifteen times.
        self.offsets = windows.offsets.take(self._source, axis=0, mode="clip")
        self.offsets[empty] = 0
        self.rows, leader = np.unique(example, return_index=True)
        self.begin: Indices = np.append((ends - sizes)[leader], self.size)
        self.window_begin: Indices = ends - sizes
        self.window_first: Indices = windows.bounds[:-1][order]

    @property
    def owners(self) -> Indices:
        """Example of each cell, int64 ``[S]``."""
        return np.repeat(self.rows, np.diff(self.begin))

    def pack(self, logits: npt.NDArray[np.floating]) -> Floats:
        """Moves logits ``[T]`` into cells, float32 ``[S]``; packed logits may be averaged.

        Raises:
            DataError: The logits were made for other windows.
        """
        if logits.shape != (self.tokens,):
            raise DataError(
                f"logits of shape {logits.shape} do not fit windows with {self.tokens} tokens: "
                "they were made for other windows"
            )
        extended = np.append(logits.astype(np.float32), np.float32(-np.inf))
        packed: Floats = extended.take(self._source, mode="clip")
        return packed

    def log_partition(self, packed: Floats) -> Doubles:
        """Logarithm of the softmax's denominator for each of ``rows``.

        Raises:
            DataError: A logit is not a number or infinite.
        """
        if not len(self.rows):
            return np.zeros(0)
        highest = np.maximum.reduceat(packed, self.begin[:-1])
        broken = np.flatnonzero(~np.isfinite(highest))
        if len(broken):
            raise DataError(
                f"logits of example {self.rows[broken[0]]} hold {highest[broken[0]]}: the model "
                "that made them is broken, leave it out"
            )
        shifted = np.exp(packed - np.repeat(highest, np.diff(self.begin)))
        sums: Doubles = np.add.reduceat(shifted, self.begin[:-1], dtype=np.float64)
        return np.log(sums) + highest

    def totals(self, start: Floats | Doubles, end: Floats | Doubles) -> Doubles:
        """For every cell the score (sum of logits) of the best span that starts there."""
        best, width = end, 1
        while width < self.reach:
            step = min(width, self.reach - width)
            longer = np.empty_like(best)
            np.maximum(best[:-step], best[step:], out=longer[:-step])
            longer[-step:] = best[-step:]
            best, width = longer, width + step
        return np.add(start, best, dtype=np.float64)

    def best(self, start: Floats, end: Floats) -> TokenSpans:
        """The best span of each of ``rows`` from packed logits; it may be white space."""
        if not len(self.rows):
            return TokenSpans.joined([])
        total = self.totals(start, end)
        highest = np.maximum.reduceat(total, self.begin[:-1])
        hits = np.flatnonzero(total == np.repeat(highest, np.diff(self.begin)))
        first = hits[np.searchsorted(hits, self.begin[:-1])]
        last = first + self._sums(start, end, first).argmax(axis=1)
        return TokenSpans(np.arange(len(self.rows)), first, last, highest)

    def top(self, start: Floats, end: Floats, k: int) -> TokenSpans:
        """The k best spans of each of ``rows`` from packed logits; all where there are fewer."""
        cost = self.costs(start, end)
        blocks = self.blocks(np.arange(len(self.rows)))
        return TokenSpans.joined([self.leading(start, end, cost, block, k, k) for block in blocks])

    def costs(self, start: Floats, end: Floats) -> Doubles:
        """Minus :meth:`totals`, and behind them infinity, as often as an example has cells."""
        widest = np.diff(self.begin).max(initial=0)
        return np.append(-self.totals(start, end), np.full(widest, np.inf))

    def leading(
        self, start: Floats, end: Floats, cost: Doubles, block: Indices, k: int, most: int | None
    ) -> TokenSpans:
        """The best spans of each of ``rows[block]``, k or more; all where there are fewer.

        Args:
            start: Packed start logits.
            end: Packed end logits.
            cost: What :meth:`costs` makes of them.
            block: Positions in ``rows``, ascending.
            k: At least this many spans of each are found.
            most: No more than this many are returned; all that were found where it is ``None``.
        """
        lows, sizes = self.begin[block], np.diff(self.begin)[block]
        widest = int(sizes.max())
        table = sliding_window_view(cost, widest)[lows]
        table[np.arange(widest) >= sizes[:, None]] = np.inf
        limit = np.full(len(block), _MOST)
        if k < widest:
            limit = np.minimum(limit, _lowest(table, k))
        row, column = np.divmod(np.flatnonzero(table <= limit[:, None]), widest)
        first = lows[row] + column
        sums = self._sums(start, end, first)
        hits = np.flatnonzero(sums >= -limit[row][:, None])
        pick, ahead = np.divmod(hits, self.reach)
        row, value = row[pick], sums.ravel()[hits]
        order = _ranked(row, value, most)
        begin = first[pick[order]]
        return TokenSpans(block[row[order]], begin, begin + ahead[order], value[order])

    def blocks(self, positions: Indices) -> Iterator[Indices]:
        """Cuts positions in ``rows`` into blocks of examples of like size, each ascending."""
        by_size = positions[np.argsort(np.diff(self.begin)[positions], kind="stable")]
        for at in range(0, len(by_size), _BLOCK):
            yield np.sort(by_size[at : at + _BLOCK])

    def _sums(self, start: Floats, end: Floats, first: Indices) -> Doubles:
        """Score of each first cell with every end within reach, ``[len(first), reach]``."""
        ends = sliding_window_view(end, self.reach)[first]
        sums: Doubles = np.add(ends, start[first][:, None], dtype=np.float64)
        return sums


def _lowest(cost: Doubles, k: int) -> Doubles:
    """A number that at least k costs of each row do not exceed, close to the k-th lowest.

    It is the k-th lowest of the minima of disjoint sets of costs: few sets hold two low ones.
    Lowest first, because numpy takes thirty times longer to find the highest of numbers many of
    which are minus infinity.
    """
    while (half := cost.shape[1] // 2) > 8 * k:
        cost = np.minimum(cost[:, :half], cost[:, half : 2 * half])
    lowest: Doubles = np.partition(cost, k - 1, axis=1)[:, k - 1]
    return lowest


def _ranked(row: Indices, value: Doubles, most: int | None) -> Indices:
    """Finds the highest values of each of ascending rows; equal ones keep their order.

    Sorting a table's rows is three times faster than sorting everything by two keys.
    """
    counts = np.bincount(row)
    begin = np.cumsum(counts) - counts
    table = np.full((len(counts), counts.max(initial=0)), np.inf)
    table[row, np.arange(len(row)) - begin[row]] = -value
    order: Indices = np.argsort(table, axis=1, kind="stable")[:, :most] + begin[:, None]
    return order[np.arange(order.shape[1]) < counts[:, None]]


def ranks(group: Indices) -> Indices:
    """Place of each member in its group, from 0; groups are runs of equal numbers."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    places: Indices = np.arange(len(group)) - np.repeat(first, np.diff(first, append=len(group)))
    return places
