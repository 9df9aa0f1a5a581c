"""From start and end logits to answers, for all questions at once.

All windows of an example compete: the start logits of all their context tokens share one softmax,
the end logits another, and a span's score is P(start) * P(end). The search is exact over all spans
of at most as many tokens as the windows say, see :mod:`autoqa.decoding.span_search`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Floats, Indices
from autoqa.decoding.span_lists import SpanLists, make_spans
from autoqa.decoding.span_scoring import SpanScoring, best_scored
from autoqa.decoding.span_search import SpanGrid, TokenSpans, WindowsLike, ranks
from autoqa.text.whitespace import Texts
from autoqa.types import Span

EMPTY = Span(0, 0, 0.0, "")
"""The answer that says that none was found."""


class SpanDecoder:
    """Decodes any number of models' logits for the same windows.

    Args:
        windows: Windows of all examples, in any order.
        contexts: Context of each example; ``windows.example`` are positions in it.
    """

    def __init__(self, windows: WindowsLike, contexts: Sequence[str]) -> None:
        self.contexts = contexts
        self.grid = SpanGrid(windows)
        # Where a span from cell i to cell j begins and ends: low[i], high[j]; if not below, it is
        # white space.
        self._low, self._high = Texts(contexts).inward(self.grid.owners, *self.grid.offsets.T)
        self._plain = self._differing()

    def best(
        self,
        start: npt.NDArray[np.floating],
        end: npt.NDArray[np.floating],
        scoring: SpanScoring | None = None,
    ) -> list[Span]:
        """The best non-empty span of every example; the empty span where there is none.

        Args:
            start: Start logits ``[T]``.
            end: End logits ``[T]``.
            scoring: What decides on the best, where that is not the plain sum; a span's score
                stays P(start) * P(end).

        Raises:
            DataError: Logits are not numbers, or were made for other windows.
        """
        packed_start, packed_end = self.grid.pack(start), self.grid.pack(end)
        scale = self.grid.log_partition(packed_start) + self.grid.log_partition(packed_end)
        if scoring is not None:
            return self._scored(packed_start, packed_end, scale, scoring)
        winners = self.grid.best(packed_start, packed_end)
        low, high = self._low[winners.first], self._high[winners.last]
        rows = self.grid.rows.tolist()
        owners = [self.contexts[row] for row in rows]
        score = np.exp(winners.total - scale).tolist()
        answers = [EMPTY] * len(self.contexts)
        spans = make_spans(owners, low.tolist(), high.tolist(), score)
        for row, span in zip(rows, spans, strict=True):
            answers[row] = span
        blank = np.flatnonzero(low >= high)
        if len(blank):  # white space won: rare, so the general search may take over
            lists = self._search(packed_start, packed_end, scale, 1, blank)
            for row in self.grid.rows[blank].tolist():
                answers[row] = next(iter(lists[row]), EMPTY)
        return answers

    def _scored(
        self, start: Floats, end: Floats, scale: Doubles, scoring: SpanScoring
    ) -> list[Span]:
        first, last = best_scored(
            start,
            end,
            self._low,
            self._high,
            self.grid.begin,
            reach=self.grid.reach,
            scoring=scoring,
        )
        found = np.flatnonzero(first >= 0)
        first, last = first[found], last[found]
        rows = self.grid.rows[found].tolist()
        low, high = self._low[first], self._high[last]
        score = np.exp(np.add(start[first], end[last], dtype=np.float64) - scale[found])
        owners = [self.contexts[row] for row in rows]
        answers = [EMPTY] * len(self.contexts)
        spans = make_spans(owners, low.tolist(), high.tolist(), score.tolist())
        for row, span in zip(rows, spans, strict=True):
            answers[row] = span
        return answers

    def n_best(
        self, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], n_best: int = 20
    ) -> SpanLists:
        """The n best distinct non-empty spans of every example, best first; see :meth:`best`."""
        if n_best < 1:
            raise ValueError(f"n_best is {n_best}; it must be 1 or more")
        packed_start, packed_end = self.grid.pack(start), self.grid.pack(end)
        scale = self.grid.log_partition(packed_start) + self.grid.log_partition(packed_end)
        everything = np.arange(len(self.grid.rows))
        return self._search(packed_start, packed_end, scale, n_best, everything)

    def _search(
        self, start: Floats, end: Floats, scale: Doubles, n_best: int, chosen: Indices
    ) -> SpanLists:
        """Lists of chosen positions; looks further where white space or twins took up places."""
        cost = self.grid.costs(start, end)
        parts = []
        done = np.zeros(len(self.grid.rows), bool)
        k, pending = n_best, chosen
        while len(pending):
            for block in self.grid.blocks(pending):
                most = n_best if self._plain[block].all() else None
                spans = self.grid.leading(start, end, cost, block, k, most)
                done[block] = True
                if most is None:
                    done[_having(k, spans)] = False  # there may be more of these
                    spans = self._distinct(spans, n_best)
                    done[_having(n_best, spans)] = True
                parts.append(spans.pick(done[spans.example]))
            k, pending = 2 * k, pending[~done[pending]]
        spans = TokenSpans.joined(parts)
        bounds = np.searchsorted(self.grid.rows[spans.example], np.arange(len(self.contexts) + 1))
        low, high = self._low[spans.first], self._high[spans.last]
        score = np.exp(spans.total - scale[spans.example])
        return SpanLists(self.contexts, bounds, low, high, score)

    def _distinct(self, spans: TokenSpans, n_best: int) -> TokenSpans:
        """The first n different non-empty spans of each example."""
        low, high = self._low[spans.first], self._high[spans.last]
        solid = np.flatnonzero(low < high)
        size = (high - low)[solid]
        key = spans.example[solid] * (low.max(initial=0) + 1) + low[solid]
        key = key * (size.max(initial=0) + 1) + size
        order = np.argsort(key, kind="stable")
        first = np.zeros(len(key), bool)
        first[order] = np.diff(key[order], prepend=-1) > 0
        distinct = solid[first]
        return spans.pick(distinct[ranks(spans.example[distinct]) < n_best])

    def _differing(self) -> npt.NDArray[np.bool_]:
        """Which of the examples have one window, and no two equal or empty spans in it."""
        low, high, begin = self._low, self._high, self.grid.begin
        rises = np.ones(self.grid.size, bool)
        rises[1:] = (low[1:] > low[:-1]) & (high[1:] > high[:-1])
        rises[begin[:-1]] = True
        tokens = np.add.reduceat(rises & (low < high), begin[:-1], dtype=np.int64)
        empty = self.grid.reach - 1
        differing: npt.NDArray[np.bool_] = tokens + empty == np.diff(begin)
        return differing


def _having(count: int, spans: TokenSpans) -> Indices:
    """Examples of at least so many spans."""
    later = spans.example[count - 1 :]
    having: Indices = later[later == spans.example[: len(later)]]
    return having


def best_spans(
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    windows: WindowsLike,
    contexts: Sequence[str],
    n_best: int = 20,
) -> list[list[Span]]:
    """The n best distinct non-empty spans of every context, best first.

    Args:
        start_logits: ``[T]``, one per token of the windows.
        end_logits: ``[T]``.
        windows: Windows of all examples.
        contexts: Context of each example.
        n_best: Most spans per example.

    Returns:
        One list per context, empty where no window holds a word of it. Spans carry no white
        space at their ends; ``context[span.start:span.end] == span.text``.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    decoder = SpanDecoder(windows, contexts)
    return list(decoder.n_best(start_logits, end_logits, n_best))


def best_span(
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    windows: WindowsLike,
    contexts: Sequence[str],
) -> list[Span]:
    """The first of :func:`best_spans` for every context, much faster; empty where there is none."""
    return SpanDecoder(windows, contexts).best(start_logits, end_logits)
