"""From start and end logits to answers, for all questions at once.

All windows of an example compete: the start logits of all their context tokens share one softmax,
the end logits another, and a span's score is P(start) * P(end). The search is exact over all spans
of at most ``max_answer_tokens`` tokens, see :mod:`autoqa.text.slots`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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
        blank: list[int] = []
        rows = self.slots.rows.tolist()
        for position, (low, high, score) in enumerate(self._places(found, scale)):
            span = _stripped(self.contexts[rows[position]], low, high, score)
            if span is None:
                blank.append(position)
            else:
                answers[rows[position]] = span
        if blank:  # white space won: rare, so the general search may take over
            listed = self._search(packed_start, packed_end, scale, 1, np.array(blank))
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
        # Neighbouring windows share tokens, so about half of the leading spans are twins.
        places, pending = 2 * n_best, chosen
        while len(pending):
            short: list[int] = []
            for block in self.slots.blocks(pending):
                found, complete = self.slots.leading(start, end, total, block, places)
                listed = self._distinct(found, scale, block, n_best)
                result.update(listed)
                short += [
                    position
                    for position, all_seen in zip(listed, complete.tolist(), strict=True)
                    if len(listed[position]) < n_best and not all_seen
                ]
            places, pending = 4 * places, np.array(short, np.int64)
        return result

    def _distinct(
        self, found: TokenSpans, scale: Doubles, block: Indices, n_best: int
    ) -> dict[int, list[Span]]:
        """The first n different non-empty spans of each position of a block."""
        edges = np.searchsorted(found.example, np.append(block, block[-1] + 1)).tolist()
        places = self._places(found, scale)
        result: dict[int, list[Span]] = {}
        for number, position in enumerate(block.tolist()):
            context = self.contexts[self.slots.rows[position]]
            spans: list[Span] = []
            seen: set[tuple[int, int]] = set()
            for low, high, score in places[edges[number] : edges[number + 1]]:
                if (low, high) in seen:
                    continue
                seen.add((low, high))
                span = _stripped(context, low, high, score)
                if span is None:
                    continue
                if span.start != low or span.end != high:
                    if (span.start, span.end) in seen:
                        continue
                    seen.add((span.start, span.end))
                spans.append(span)
                if len(spans) == n_best:
                    break
            result[position] = spans
        return result

    def _places(self, found: TokenSpans, scale: Doubles) -> list[tuple[int, int, float]]:
        """First and one-past-last character and probability of each span."""
        lows = self.slots.offsets[found.first, 0].tolist()
        highs = self.slots.offsets[found.last, 1].tolist()
        scores = np.exp(found.total - scale[found.example]).tolist()
        return list(zip(lows, highs, scores, strict=True))


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


def _stripped(context: str, low: int, high: int, score: float) -> Span | None:
    text = context[low:high]
    bare = text.strip()
    if not bare:
        return None
    if len(bare) != len(text):
        low += len(text) - len(text.lstrip())
        high = low + len(bare)
    return Span(low, high, score, bare)
