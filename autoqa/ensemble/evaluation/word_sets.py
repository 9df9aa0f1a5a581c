"""Sets of words as bits: what a question's answers and references consist of."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.text.words import words
from autoqa.types import Example

Bits = npt.NDArray[np.uint64]
"""Sets of words, one bit per word of the question's vocabulary, ``[B, ...]``.

A set takes B numbers. They are the first axis because sums over a short last axis are slow.
"""

_NONE = ""
"""What a text without words consists of; no word is empty."""


class Vocabulary:
    """Numbers the words of each question, so that a set of words is a whole number."""

    def __init__(self, questions: int) -> None:
        self._known: list[dict[str, int]] = [{} for _ in range(questions)]

    def mask(self, question: int, text: str) -> int:
        """The set of words of a text, as the bits of a number; no answer has a bit of its own."""
        known, mask = self._known[question], 0
        for word in words(text) or (_NONE,):
            mask |= 1 << known.setdefault(word, len(known))
        return mask

    def bits(self, masks: Sequence[int]) -> Bits:
        """Masks as an array ``[B, len(masks)]``; call it when all words are known."""
        size = 8 * (max(map(len, self._known), default=0) // 64 + 1)
        joined = b"".join(mask.to_bytes(size, "little") for mask in masks)
        table = np.frombuffer(joined, np.uint64).reshape(len(masks), size // 8)
        return np.ascontiguousarray(table.T)


def reference_masks(examples: Sequence[Example], vocabulary: Vocabulary) -> list[list[int]]:
    """Lists of one reference per question; questions with fewer repeat their first."""
    texts = [[answer.text for answer in example.answers] or [""] for example in examples]
    return [
        [
            vocabulary.mask(row, references[number] if number < len(references) else references[0])
            for row, references in enumerate(texts)
        ]
        for number in range(max(map(len, texts)))
    ]


def best_jaccard(answers: Bits, references: Sequence[Bits]) -> Doubles:
    """Jaccard of each answer, the best over the references, ``[..., Q]``.

    Args:
        answers: Words of the answers, ``[B, ..., Q]``.
        references: One or more lists of references, ``[B, Q]`` each.
    """
    between = (1,) * (answers.ndim - 2)
    best = np.zeros(answers.shape[1:])
    for words_of in references:
        shaped = words_of.reshape(*words_of.shape[:1], *between, *words_of.shape[1:])
        np.maximum(best, jaccard(answers, shaped), out=best)
    return best


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
