"""Jaccard, exact match and F1 per question, each the best over the question's references.

Exact match and F1 follow the SQuAD 1.1 script with the multilingual punctuation set of the MLQA
script: every character of a Unicode category ``P*`` and the ASCII punctuation, which also holds
symbols such as ``$``. English articles are dropped as whole words, without a regular expression.
"""

import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.text.words import jaccard
from autoqa.types import Example

_ARTICLES = frozenset({"a", "an", "the"})


class _PunctuationTable(dict[int, int | None]):
    """A table for ``str.translate`` that looks each code point up the first time it is met."""

    def __missing__(self, code: int) -> int | None:
        letter = chr(code)
        drop = letter in string.punctuation or unicodedata.category(letter).startswith("P")
        self[code] = None if drop else code
        return self[code]


_PUNCTUATION = _PunctuationTable()


def normalized_words(text: str) -> list[str]:
    """Words after SQuAD's normalisation: lower case, no punctuation, no English articles."""
    bare = text.lower().translate(_PUNCTUATION)
    return [word for word in bare.split() if word not in _ARTICLES]


def exact_match(prediction: str, reference: str) -> float:
    """1 where both texts are equal after SQuAD's normalisation, else 0."""
    return float(normalized_words(prediction) == normalized_words(reference))


def f1(prediction: str, reference: str) -> float:
    """Harmonic mean of word precision and recall, 0 to 1; 1 where both have no words."""
    predicted, expected = normalized_words(prediction), normalized_words(reference)
    if not predicted or not expected:
        return float(predicted == expected)
    common = sum((Counter(predicted) & Counter(expected)).values())
    return 2 * common / (len(predicted) + len(expected))


@dataclass(frozen=True, slots=True)
class MeanScores:
    """Means over questions, 0 to 1."""

    jaccard: float
    em: float
    f1: float


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """One value per question, in the order of the examples.

    Attributes:
        jaccard: Word-level Jaccard, float64 ``[Q]``.
        em: SQuAD exact match, float64 ``[Q]``.
        f1: SQuAD F1, float64 ``[Q]``.
    """

    jaccard: npt.NDArray[np.float64]
    em: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]

    def mean(self) -> MeanScores:
        """Means over all questions; zeros where there are none."""
        if not len(self.jaccard):
            return MeanScores(0.0, 0.0, 0.0)
        return MeanScores(float(self.jaccard.mean()), float(self.em.mean()), float(self.f1.mean()))

    def by_language(self, examples: Sequence[Example]) -> dict[str, float]:
        """Mean Jaccard per language, languages in alphabetical order."""
        languages = np.array([example.language for example in examples], dtype=object)
        return {
            str(language): float(self.jaccard[languages == language].mean())
            for language in sorted(set(languages))
        }


def score(predictions: Sequence[str], examples: Sequence[Example]) -> QuestionScores:
    """Scores one predicted text per example; best over the example's references.

    An example without references counts as unanswerable: the empty text is its reference.

    Raises:
        ValueError: There are not as many predictions as examples.
    """
    if len(predictions) != len(examples):
        raise ValueError(
            f"{len(predictions)} predictions for {len(examples)} examples: give one text each, "
            "the empty text where no answer was found"
        )

    def best(metric: Callable[[str, str], float]) -> npt.NDArray[np.float64]:
        values = (
            max(metric(text, reference) for reference in _references(example))
            for text, example in zip(predictions, examples, strict=True)
        )
        return np.fromiter(values, np.float64, len(examples))

    return QuestionScores(jaccard=best(jaccard), em=best(exact_match), f1=best(f1))


def _references(example: Example) -> list[str]:
    return [answer.text for answer in example.answers] or [""]
