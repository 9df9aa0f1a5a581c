"""The spans that some candidate of a group ranks high, scored by all of them.

Selection tries thousands of blends. Decoding each from full logits would take minutes, so every
candidate's best twenty spans of a question are put on one list, and the logits of all candidates
are read off there once: a blend is then a weighted sum over the list. A span that no candidate has
among its twenty best could still win a blend, very rarely; whatever is reported at the end is
decoded from full logits.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.errors import DataError
from autoqa.text.slots import Floats, Indices, Slots, WindowsLike
from autoqa.text.words import words

_TOP = 20
Logits = tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]
Bits = npt.NDArray[np.uint64]
"""Sets of words, one bit per word of the question's vocabulary, ``[..., B]``."""


class Vocabulary:
    """Numbers the words of each question, so that a set of words is a whole number."""

    def __init__(self, questions: int) -> None:
        self._known: list[dict[str, int]] = [{} for _ in range(questions)]

    def mask(self, question: int, text: str) -> int:
        """The set of words of a text, as the bits of a number."""
        known, mask = self._known[question], 0
        for word in words(text):
            mask |= 1 << known.setdefault(word, len(known))
        return mask

    def bits(self, masks: Sequence[int]) -> Bits:
        """Masks as an array ``[len(masks), B]``; call it when all words are known."""
        size = 8 * (max(map(len, self._known), default=0) // 64 + 1)
        joined = b"".join(mask.to_bytes(size, "little") for mask in masks)
        return np.frombuffer(joined, np.uint64).reshape(len(masks), size // 8)


class Shortlist:
    """One group's candidates on the spans that any of them ranks high.

    Each question's spans stand together in the order of the context, an empty answer last.

    Args:
        candidates: Id and logits of each candidate.
        windows: The group's windows.
        contexts: Context of each question.
        vocabulary: Takes up the words of all spans.
        max_answer_tokens: Most tokens in an answer.

    Attributes:
        masks: Words of each span, S long.
    """

    def __init__(
        self,
        candidates: Sequence[tuple[str, Logits]],
        windows: WindowsLike,
        contexts: Sequence[str],
        vocabulary: Vocabulary,
        max_answer_tokens: int,
    ) -> None:
        slots = Slots(windows, max_answer_tokens)
        packed = [_packed(slots, name, logits) for name, logits in candidates]
        first, last = _leading(slots, packed)
        example = slots.rows[np.searchsorted(slots.begin, first, side="right") - 1]
        masks = _masks(slots, first, last, example, contexts, vocabulary)
        filled = np.array([mask != 0 for mask in masks], dtype=bool)
        first, last, example = first[filled], last[filled], example[filled]
        questions = len(contexts)
        order = np.argsort(np.concatenate((example, np.arange(questions))), kind="stable")
        everything = [mask for mask in masks if mask] + [0] * questions
        self.masks = [everything[i] for i in order.tolist()]
        nothing = np.full(questions, -np.inf, np.float32)
        self._sums: list[Floats] = [
            np.concatenate((start[first] + end[last], nothing))[order] for start, end in packed
        ]
        counts = np.bincount(example, minlength=questions) + 1
        self._begin: Indices = np.concatenate(([0], np.cumsum(counts)))

    def choose(self, seats: Sequence[tuple[int, int]]) -> Indices:
        """The winning span of each question, int64 ``[Q]``, for (candidate, seats) pairs."""
        total = np.zeros(len(self.masks))
        for candidate, count in seats:
            total += self._sums[candidate] * np.float64(count)
        highest = np.maximum.reduceat(total, self._begin[:-1])
        hits = np.flatnonzero(total == np.repeat(highest, np.diff(self._begin)))
        return hits[np.searchsorted(hits, self._begin[:-1])]


def _packed(slots: Slots, name: str, logits: Logits) -> tuple[Floats, Floats]:
    try:
        packed = slots.pack(logits[0]), slots.pack(logits[1])
        for side in packed:
            slots.log_partition(side)
    except DataError as error:
        raise DataError(f"candidate {name}: {error}") from error
    return packed


def _leading(slots: Slots, packed: Sequence[tuple[Floats, Floats]]) -> tuple[Indices, Indices]:
    """First and last slots of all spans that are among the best of any candidate."""
    keys = []
    for start, end in packed:
        found = slots.top(start, end, _TOP)
        keys.append(found.first * slots.max_answer_tokens + (found.last - found.first))
    first, reach = np.divmod(np.unique(np.concatenate(keys)), slots.max_answer_tokens)
    return first, first + reach


def _masks(
    slots: Slots,
    first: Indices,
    last: Indices,
    example: Indices,
    contexts: Sequence[str],
    vocabulary: Vocabulary,
) -> list[int]:
    lows, highs = slots.offsets[first, 0].tolist(), slots.offsets[last, 1].tolist()
    known: dict[tuple[int, int, int], int] = {}
    masks = []
    for place in zip(example.tolist(), lows, highs, strict=True):
        mask = known.get(place)
        if mask is None:
            row, low, high = place
            mask = known[place] = vocabulary.mask(row, contexts[row][low:high])
        masks.append(mask)
    return masks
