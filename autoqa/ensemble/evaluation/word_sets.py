"""Sets of words as bits: what a question's answers consist of."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.text.segmentation import pieces
from autoqa.types import Segmentation

Bits = npt.NDArray[np.uint64]
"""Sets of words, one bit per word of the question's vocabulary, ``[B, ...]``.

A set takes B numbers. They are the first axis because sums over a short last axis are slow.
"""

NONE = ""
"""What a text without words consists of; no word is empty."""


class Vocabulary:
    """Numbers the words of each question, so that a set of words is a whole number.

    Where it matters how often a word occurs, each further occurrence has a bit of its own: a text
    with a word three times has the word's first three.

    Args:
        questions: How many there are.
        segmentation: Where texts are cut into words.
        repeated: Whether occurrences count.
    """

    def __init__(
        self, questions: int, segmentation: Segmentation = "words", *, repeated: bool = False
    ) -> None:
        self._known: list[dict[tuple[str, int], int]] = [{} for _ in range(questions)]
        self._segmentation, self._repeated = segmentation, repeated

    def mask(self, question: int, text: str) -> int:
        """The words of a text, as the bits of a number; no answer has a bit of its own."""
        known, mask = self._known[question], 0
        words = pieces(text, self._segmentation) or [NONE]
        for place, word in enumerate(words):
            occurrence = words[:place].count(word) if self._repeated else 0
            mask |= 1 << known.setdefault((word, occurrence), len(known))
        return mask

    def entries(self, question: int) -> Iterator[tuple[str, int, int]]:
        """Each word of a question that a text has, with its occurrence, from 0, and its bit."""
        return ((word, number, bit) for (word, number), bit in self._known[question].items())

    def everywhere(self, question: int, mask: int) -> int:
        """The words of a set with all bits that any text of the question has for them."""
        known = self._known[question]
        for (word, number), bit in known.items():
            if number and mask >> known[word, 0] & 1:
                mask |= 1 << bit
        return mask

    def has_repeats(self, question: int) -> bool:
        """Whether any text has a word of the question twice."""
        return any(number for _, number in self._known[question])

    def firsts(self) -> Bits:
        """The first bit of every word, ``[B, Q]``."""
        return self.bits(
            [
                sum(1 << bit for (_, number), bit in known.items() if not number)
                for known in self._known
            ]
        )

    def bits(self, masks: Sequence[int]) -> Bits:
        """Masks as an array ``[B, len(masks)]``; call it when all words are known."""
        size = 8 * (max(map(len, self._known), default=0) // 64 + 1)
        joined = b"".join(mask.to_bytes(size, "little") for mask in masks)
        table = np.frombuffer(joined, np.uint64).reshape(len(masks), size // 8)
        return np.ascontiguousarray(table.T)


def jaccard(first: Bits, second: Bits) -> Doubles:
    """Word-level Jaccard of two arrays of sets; two empty sets are equal (1)."""
    common = size(first & second)
    union = size(first | second)
    values = np.ones(union.shape)
    np.divide(common, union, out=values, where=union > 0, dtype=np.float64)
    return values


def size(sets: Bits) -> npt.NDArray[np.int32]:
    """Words in each set."""
    counts: npt.NDArray[np.int32] = np.bitwise_count(sets).sum(axis=0, dtype=np.int32)
    return counts
