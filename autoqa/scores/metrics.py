"""Jaccard, exact match and F1, and the scores of answers by all metrics, best over references.

Exact match and F1 follow the SQuAD 1.1 script with the multilingual punctuation set of the MLQA
script: every character of a Unicode category ``P*`` and the ASCII punctuation, which also holds
symbols such as ``$``. English articles are dropped as whole words, without a regular expression.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles
from autoqa.scores.overlap import ItemOverlap, f1_share, jaccard_share
from autoqa.scores.punctuation import without_punctuation
from autoqa.scores.registry import Metric, all_metrics, get_metric, register
from autoqa.text.words import jaccard
from autoqa.types import DEFAULT_METRIC, Example

_ARTICLES = frozenset({"a", "an", "the"})


def normalized_words(text: str) -> list[str]:
    """Words after SQuAD's normalisation: lower case, no punctuation, no English articles."""
    bare = without_punctuation(text.lower())
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
        name=DEFAULT_METRIC,
        title="Jaccard",
        function=lambda prediction, reference, _: jaccard(prediction, reference),
        summary="word-level Jaccard",
        overlap=ItemOverlap(lambda word, _: (word,), jaccard_share, distinct=True),
    )
)
register(
    Metric(
        name="em",
        title="EM",
        function=lambda prediction, reference, _: exact_match(prediction, reference),
        summary="exact match",
    )
)
register(
    Metric(
        name="f1",
        title="F1",
        function=lambda prediction, reference, _: f1(prediction, reference),
        summary="F1",
        overlap=ItemOverlap(lambda word, _: normalized_words(word), f1_share),
    )
)


@dataclass(frozen=True, slots=True)
class QuestionScores:
    """One value per question, in the order of the examples.

    Attributes:
        by_metric: Float64 ``[Q]`` by name of the metric, in the registry's order.
    """

    by_metric: Mapping[str, Doubles]

    def mean(self) -> dict[str, float]:
        """Means over all questions by name of the metric; zeros where there are none."""
        return {
            name: float(values.mean()) if len(values) else 0.0
            for name, values in self.by_metric.items()
        }

    def by_language(self, examples: Sequence[Example], metric: str) -> dict[str, float]:
        """Mean of one metric per language, languages in alphabetical order."""
        languages = np.array([example.language for example in examples], dtype=object)
        values = self.by_metric[metric]
        return {
            str(language): float(values[languages == language].mean())
            for language in sorted(set(languages))
        }


def score(predictions: Sequence[str], examples: Sequence[Example]) -> QuestionScores:
    """Scores one predicted text per example by every metric; best over its references.

    An example without references counts as unanswerable: the empty text is its reference.

    Raises:
        ValueError: There are not as many predictions as examples.
    """
    return QuestionScores(
        {metric.name: _best(metric, predictions, examples) for metric in all_metrics()}
    )


def score_by(metric: str, predictions: Sequence[str], examples: Sequence[Example]) -> Doubles:
    """Scores one predicted text per example by one metric, float64 ``[Q]``; see :func:`score`.

    Raises:
        ConfigError: There is no such metric.
        ValueError: There are not as many predictions as examples.
    """
    return _best(get_metric(metric), predictions, examples)


def _best(metric: Metric, predictions: Sequence[str], examples: Sequence[Example]) -> Doubles:
    if len(predictions) != len(examples):
        raise ValueError(
            f"{len(predictions)} predictions for {len(examples)} examples: give one text each, "
            "the empty text where no answer was found"
        )
    values = (
        metric.best(text, references(example), example.language)
        for text, example in zip(predictions, examples, strict=True)
    )
    return np.fromiter(values, np.float64, len(examples))


def references(example: Example) -> list[str]:
    """The texts that an answer is compared with; of an unanswerable question the empty one."""
    return [answer.text for answer in example.answers] or [""]
