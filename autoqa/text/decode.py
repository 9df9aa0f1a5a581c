"""From start and end logits to answers, for all questions at once.

All windows of an example compete: the start logits of all their context tokens share one softmax,
the end logits another, and a span's score is P(start) * P(end). The search is exact over all spans
of at most ``max_answer_tokens`` tokens, see :mod:`autoqa.text.slots`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.text.blanks import Texts
from autoqa.text.slots import Doubles, Floats, Indices, Slots, TokenSpans, WindowsLike
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
        answers = [EMPTY] * len(self.contexts)
        rows = self.slots.rows.tolist()
        low, high = self._places(found)
        for row, span in zip(rows, self._spans(found, low, high, scale), strict=True):
            answers[row] = span
        blank = np.flatnonzero(low == high)
        if len(blank):  # white space won: rare, so the general search may take over
            listed = self._search(packed_start, packed_end, scale, 1, blank)
            for position, spans in listed.items():
                answers[rows[position]] = spans[0] if spans else EMPTY
        return answers

    def n_best(
        self, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], n_best: int = 20
    ) -> list[list[Span]]:
        """The n best distinct non-empty spans of every example, best first; see :meth:`best`."""
        if n_best < 1:
            raise ValueError(f"n_best is {n_best}; it must be 1 or more")
        packed_start, packed_end = self.slots.pack(start), self.slots.pack(end)
        scale = self.slots.log_partition(packed_start) + self.slots.log_partition(packed_end)
        everything = np.arange(len(self.slots.rows))
        listed = self._search(packed_start, packed_end, scale, n_best, everything)
        spans: list[list[Span]] = [[] for _ in self.contexts]
        for position, row in enumerate(self.slots.rows.tolist()):
            spans[row] = listed[position]
        return spans

    def _search(
        self, start: Floats, end: Floats, scale: Doubles, n_best: int, chosen: Indices
    ) -> dict[int, list[Span]]:
        """Lists by position; looks further where white space or twins took up places."""
        total = self.slots.totals(start, end)
        result: dict[int, list[Span]] = {}
        # As many starts hold enough spans, unless white space or twins take up places.
        starts, pending = n_best, chosen
        while len(pending):
            short: list[int] = []
            for block in self.slots.blocks(pending):
                found, complete = self.slots.leading(start, end, total, block, starts)
                listed = self._distinct(found, scale, block, n_best)
                result.update(listed)
                short += [
                    position
                    for position, all_seen in zip(listed, complete.tolist(), strict=True)
                    if len(listed[position]) < n_best and not all_seen
                ]
            starts, pending = 2 * starts, np.array(short, np.int64)
        return result

    def _distinct(
        self, found: TokenSpans, scale: Doubles, block: Indices, n_best: int
    ) -> dict[int, list[Span]]:
        """The first n different non-empty spans of each position of a block."""
        low, high = self._places(found)
        solid = np.flatnonzero(low < high)
        size = (high - low)[solid]
        key = found.example[solid] * (low.max(initial=0) + 1) + low[solid]
        key = key * (size.max(initial=0) + 1) + size
        kept = solid[np.sort(np.unique(key, return_index=True)[1])]
        edges = np.searchsorted(found.example[kept], np.append(block, block[-1] + 1))
        rank = np.arange(len(kept)) - np.repeat(edges[:-1], np.diff(edges))
        kept = kept[rank < n_best]
        spans = self._spans(found.pick(kept), low[kept], high[kept], scale)
        bounds = np.cumsum([0, *np.minimum(np.diff(edges), n_best)]).tolist()
        return {
            position: spans[begin:end]
            for position, begin, end in zip(block.tolist(), bounds[:-1], bounds[1:], strict=True)
        }

    def _places(self, found: TokenSpans) -> tuple[Indices, Indices]:
        """First and one-past-last character of each span without white space at its ends."""
        low = self.slots.offsets[found.first, 0].astype(np.int64)
        high = self.slots.offsets[found.last, 1].astype(np.int64)
        return self._texts.strip(self.slots.rows[found.example], low, high)

    def _spans(self, found: TokenSpans, low: Indices, high: Indices, scale: Doubles) -> list[Span]:
        lows, highs = low.tolist(), high.tolist()
        rows = self.slots.rows[found.example].tolist()
        texts = [self.contexts[row][a:b] for row, a, b in zip(rows, lows, highs, strict=True)]
        scores = np.exp(found.total - scale[found.example]).tolist()
        return list(map(Span, lows, highs, scores, texts))


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
    return SpanDecoder(windows, contexts, max_answer_tokens).n_best(
        start_logits, end_logits, n_best
    )


def best_span(
    start_logits: npt.NDArray[np.floating],
    end_logits: npt.NDArray[np.floating],
    windows: WindowsLike,
    contexts: Sequence[str],
    max_answer_tokens: int = 48,
) -> list[Span]:
    """The first of :func:`best_spans` for every context, much faster; empty where there is none."""
    return SpanDecoder(windows, contexts, max_answer_tokens).best(start_logits, end_logits)
