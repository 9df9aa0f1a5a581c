"""From start and end logits to answers, for all questions at once.

All windows of an example compete: the start logits of all their context tokens share one softmax,
the end logits another, and a span's score is P(start) * P(end). The search is exact over all spans
of at most ``max_answer_tokens`` tokens, see :mod:`autoqa.text.slots`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.text.blanks import Texts
from autoqa.text.lists import SpanLists, make_spans
from autoqa.text.slots import Doubles, Floats, Indices, Slots, TokenSpans, WindowsLike, ranks
from autoqa.types import Span

EMPTY = Span(0, 0, 0.0, "")
"""The answer that says that none was found."""


class SpanDecoder:
    """Decodes any number of models' logits for the same windows.

    Args:
        windows: Windows of all examples, in any order.
        contexts: Context of each example; ``windows.example`` are positions in it.
        max_answer_tokens: Most tokens in an answer.
    """

    def __init__(
        self, windows: WindowsLike, contexts: Sequence[str], max_answer_tokens: int = 48
    ) -> None:
        self.contexts = contexts
        self.slots = Slots(windows, max_answer_tokens)
        self._texts = Texts(contexts)

    def best(self, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating]) -> list[Span]:
        """The best non-empty span of every example; the empty span where there is none.

        Args:
            start: Start logits ``[T]``.
            end: End logits ``[T]``.

        Raises:
            DataError: Logits are not numbers, or were made for other windows.
        """
        packed_start, packed_end = self.slots.pack(start), self.slots.pack(end)
        scale = self.slots.log_partition(packed_start) + self.slots.log_partition(packed_end)
        found = self.slots.best(packed_start, packed_end)
        low, high = self._places(found)
        rows = self.slots.rows.tolist()
        owners = [self.contexts[row] for row in rows]
        score = np.exp(found.total - scale).tolist()
        answers = [EMPTY] * len(self.contexts)
        spans = make_spans(owners, low.tolist(), high.tolist(), score)
        for row, span in zip(rows, spans, strict=True):
            answers[row] = span
        blank = np.flatnonzero(low == high)
        if len(blank):  # white space won: rare, so the general search may take over
            lists = self._search(packed_start, packed_end, scale, 1, blank)
            for row in self.slots.rows[blank].tolist():
                answers[row] = next(iter(lists[row]), EMPTY)
        return answers

    def n_best(
        self, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], n_best: int = 20
    ) -> SpanLists:
        """The n best distinct non-empty spans of every example, best first; see :meth:`best`."""
        if n_best < 1:
            raise ValueError(f"n_best is {n_best}; it must be 1 or more")
        packed_start, packed_end = self.slots.pack(start), self.slots.pack(end)
        scale = self.slots.log_partition(packed_start) + self.slots.log_partition(packed_end)
        everything = np.arange(len(self.slots.rows))
        return self._search(packed_start, packed_end, scale, n_best, everything)

    def _search(
        self, start: Floats, end: Floats, scale: Doubles, n_best: int, chosen: Indices
    ) -> SpanLists:
        """Lists of chosen positions; looks further where white space or twins took up places."""
        total = self.slots.totals(start, end)
        none = np.zeros(0, np.int64)
        parts: list[tuple[Indices, Indices, Indices, Doubles]] = [(none, none, none, np.zeros(0))]
        done = np.zeros(len(self.slots.rows), bool)
        starts, pending = n_best, chosen
        while len(pending):
            short = []
            for block in self.slots.blocks(pending):
                found, complete = self.slots.leading(start, end, total, block, starts)
                found, low, high, full = self._distinct(found, n_best)
                done[block] = complete
                done[full] = True
                short.append(block[~done[block]])
                kept = done[found.example]
                score = np.exp(found.total - scale[found.example])
                parts.append((found.example[kept], low[kept], high[kept], score[kept]))
            starts, pending = 2 * starts, np.concatenate(short)
        example, low, high, score = map(np.concatenate, zip(*parts, strict=True))
        row = self.slots.rows[example]
        order = np.argsort(row, kind="stable")
        bounds = np.searchsorted(row[order], np.arange(len(self.contexts) + 1))
        return SpanLists(self.contexts, bounds, low[order], high[order], score[order])

    def _distinct(
        self, found: TokenSpans, n_best: int
    ) -> tuple[TokenSpans, Indices, Indices, Indices]:
        """The first n different non-empty spans of each example.

        Returns:
            The spans, their first and one-past-last characters, and the examples that have n.
        """
        low, high = self._places(found)
        solid = np.flatnonzero(low < high)
        size = (high - low)[solid]
        key = found.example[solid] * (low.max(initial=0) + 1) + low[solid]
        key = key * (size.max(initial=0) + 1) + size
        order = np.argsort(key, kind="stable")
        first = np.zeros(len(key), bool)
        first[order] = np.diff(key[order], prepend=-1) > 0
        kept = solid[first]
        rank = ranks(found.example[kept])
        full = found.example[kept[rank == n_best - 1]]
        kept = kept[rank < n_best]
        return found.pick(kept), low[kept], high[kept], full

    def _places(self, found: TokenSpans) -> tuple[Indices, Indices]:
        """First and one-past-last character of each span without white space at its ends."""
        low = self.slots.offsets[found.first, 0].astype(np.int64)
        high = self.slots.offsets[found.last, 1].astype(np.int64)
        return self._texts.strip(self.slots.rows[found.example], low, high)


def best_spans(
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    windows: WindowsLike,
    contexts: Sequence[str],
    n_best: int = 20,
    max_answer_tokens: int = 48,
) -> list[list[Span]]:
    """The n best distinct non-empty spans of every context, best first.

    Args:
        start_logits: ``[T]``, one per token of the windows.
        end_logits: ``[T]``.
        windows: Windows of all examples.
        contexts: Context of each example.
        n_best: Most spans per example.
        max_answer_tokens: Most tokens in an answer.

    Returns:
        One list per context, empty where no window holds a word of it. Spans carry no white
        space at their ends; ``context[span.start:span.end] == span.text``.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    decoder = SpanDecoder(windows, contexts, max_answer_tokens)
    return list(decoder.n_best(start_logits, end_logits, n_best))


def best_span(
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    windows: WindowsLike,
    contexts: Sequence[str],
    max_answer_tokens: int = 48,
) -> list[Span]:
    """The first of :func:`best_spans` for every context, much faster; empty where there is none."""
    return SpanDecoder(windows, contexts, max_answer_tokens).best(start_logits, end_logits)
