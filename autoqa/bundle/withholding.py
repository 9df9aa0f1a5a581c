"""From what models say to what is told: stated confidence, and answers that are withheld.

This comes last, when all contexts of a question are read: "none" is said of a question.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autoqa.bundle.answer_options import AnswerOptions
from autoqa.bundle.input_rows import Row
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.prediction import Prediction
from autoqa.ensemble.joining.confidence import Confidence, confidence_features
from autoqa.text.scripts import language_of


def told(
    predictions: Sequence[Prediction],
    rows: Sequence[Row],
    manifest: Manifest,
    options: AnswerOptions,
) -> list[Prediction]:
    """Predictions with stated scores, and without what is withheld; see :func:`withheld`."""
    return withheld(stated(predictions, manifest), rows, manifest, options)


def stated(predictions: Sequence[Prediction], manifest: Manifest) -> list[Prediction]:
    """Predictions with the scores that a bundle states.

    An answer from many documents keeps its score, which compares it with the others.

    Args:
        predictions: One for each question.
        manifest: The bundle's.
    """
    entry = manifest.confidence
    if entry is None:
        return list(predictions)
    return [_stated(each, entry.confidence) for each in predictions]


def withheld(
    predictions: Sequence[Prediction],
    rows: Sequence[Row],
    manifest: Manifest,
    options: AnswerOptions,
) -> list[Prediction]:
    """Predictions without what is not told; the score of "none" is its probability.

    Args:
        predictions: One for each question, with an answer wherever there is one.
        rows: The questions.
        manifest: The bundle's.
        options: What was asked for.
    """
    kept, rule = list(predictions), options.rule(manifest)
    if rule is not None:
        languages = [_language(*pair) for pair in zip(rows, kept, strict=True)]
        suspected = np.array([each.no_answer or 0.0 for each in kept])
        absent = rule.says_none(suspected, languages).tolist()
        kept = [
            _none(each, options.top_k) if none else each
            for each, none in zip(kept, absent, strict=True)
        ]
    least = options.min_score
    return [_without(each, each.score) if each.score < least else each for each in kept]


def _stated(prediction: Prediction, confidence: Confidence) -> Prediction:
    if prediction.passage is not None:
        return prediction
    answers = [prediction, *prediction.others]
    features = confidence_features(
        [each.score for each in answers],
        np.full(len(answers), prediction.agreement),
        np.full(len(answers), prediction.evidence),
    )
    first, *others = confidence.of(features).tolist()
    pairs = zip(prediction.others, others, strict=True)
    following = tuple(replace(other, score=score) for other, score in pairs)
    return replace(prediction, score=first, others=following)


def _none(prediction: Prediction, top_k: int) -> Prediction:
    """The answer "none"; what would have been it is the first of the others."""
    without = _without(prediction, prediction.no_answer or 0.0)
    return replace(without, others=(prediction.alone(), *prediction.others)[: top_k - 1])


def _without(prediction: Prediction, score: float) -> Prediction:
    return replace(prediction, answer="", start=0, end=0, score=score, passage=None)


def _language(row: Row, prediction: Prediction) -> str:
    passage = prediction.passage
    return language_of(row.language, row.context if passage is None else passage.text)
