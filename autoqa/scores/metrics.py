"""Jaccard, exact match and F1, and the scores of answers by all metrics, best over references.

Exact match and F1 follow the SQuAD 1.1 script with the multilingual punctuation set of the MLQA
script: every character of a Unicode category ``P*`` and the ASCII punctuation, which also holds
symbols such as ``$``. English articles are dropped as whole words, without a regular expression.
"""

import string
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles
from autoqa.scores.registry import OBJECTIVE, Metric, all_metrics, register
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


register(
    Metric(
        name=OBJECTIVE,
        title="Jaccard",
        function=lambda prediction, reference, _: jaccard(prediction, reference),
        low=0.0,
        high=1.0,
        higher_is_better=True,
        summary="word-level Jaccard",
    )
)
register(
    Metric(
        name="em",
        title="EM",
        function=lambda prediction, reference, _: exact_match(prediction, reference),
        low=0.0,
        high=1.0,
        higher_is_better=True,
        summary="exact match",
    )
)
register(
    Metric(
        name="f1",
        title="F1",
        function=lambda prediction, reference, _: f1(prediction, reference),
        low=0.0,
        high=1.0,
        higher_is_better=True,
        summary="F1",
    )
)


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """One value per question, in the order of the examples.

    Attributes:
        by_metric: Float64 ``[Q]`` by name of the metric, in the registry's order.
    """

    by_metric: Mapping[str, Doubles]

    @property
    def jaccard(self) -> Doubles:
        """Word-level Jaccard, float64 ``[Q]``."""
        return self.by_metric[OBJECTIVE]

    def mean(self) -> dict[str, float]:
        """Means over all questions by name of the metric; zeros where there are none."""
        return {
            name: float(values.mean()) if len(values) else 0.0
            for name, values in self.by_metric.items()
        }

    def by_language(self, examples: Sequence[Example]) -> dict[str, float]:
        """Mean Jaccard per language, languages in alphabetical order."""
        languages = np.array([example.language for example in examples], dtype=object)
        return {
            str(language): float(self.jaccard[languages == language].mean())
            for language in sorted(set(languages))
        }


def score(predictions: Sequence[str], examples: Sequence[Example]) -> QuestionScores:
    """Scores one predicted text per example by every metric; best over its references.

    An example without references counts as unanswerable: the empty text is its reference.

    Raises:
        ValueError: There are not as many predictions as examples.
    """
    if len(predictions) != len(examples):
        raise ValueError(
            f"{len(predictions)} predictions for {len(examples)} examples: give one text each, "
            "the empty text where no answer was found"
        )

    def best(metric: Metric) -> Doubles:
        values = (
            metric.best(text, _references(example), example.language)
            for text, example in zip(predictions, examples, strict=True)
        )
        return np.fromiter(values, np.float64, len(examples))

    return QuestionScores({metric.name: best(metric) for metric in all_metrics()})


def _references(example: Example) -> list[str]:
    return [answer.text for answer in example.answers] or [""]
