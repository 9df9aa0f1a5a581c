"""A bundle asked about questions whose answers are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoqa.bundle.input_rows import Row
from autoqa.bundle.predictor import Ensemble
from autoqa.bundle.withholding import withheld
from autoqa.scores.answerability import AnswerSplit, split_scores
from autoqa.scores.calibration import Reliability, reliability
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class BundleEvaluation:
    """What a bundle answers, and what its confidence is worth.

    Attributes:
        answers: One text per question; empty where no answer is given.
        metric: The bundle's.
        split: Scores by whether there is an answer; ``None`` where every question has one, or the
            bundle cannot tell.
        reliability: ``None`` where the bundle states no calibrated confidence.
    """

    answers: list[str]
    metric: str
    split: AnswerSplit | None
    reliability: Reliability | None


def rows_of(examples: Sequence[Example]) -> list[Row]:
    """Examples as rows to answer."""
    return [Row(e.id, e.question, e.context, e.language) for e in examples]


def evaluate_bundle(
    ensemble: Ensemble, examples: Sequence[Example], **asking: Any
) -> BundleEvaluation:
    """Answers questions and compares.

    Args:
        ensemble: An opened bundle.
        examples: The questions with their answers, at least one.
        asking: Further arguments of :meth:`autoqa.bundle.predictor.Ensemble.predict`.

    Raises:
        ConfigError: The bundle's metric is a plugin's that is not installed; nothing is answered.
        DataError: A question cannot be answered.
    """
    manifest = ensemble.manifest
    get_metric(manifest.public.metric, "the bundle")
    rows = rows_of(examples)
    every = ensemble.predict(rows, no_answer="never", **asking)
    final = withheld(every, rows, manifest, ensemble.options)
    metric, answers = manifest.public.metric, [each.answer for each in final]
    split = None
    if manifest.no_answer is not None and not all(example.answers for example in examples):
        split = split_scores(
            np.array([not each for each in answers]),
            np.array([each.no_answer or 0.0 for each in every]),
            score_by(metric, [each.answer for each in every], examples),
            np.array([float(not example.answers) for example in examples]),
        )
    found = None
    if manifest.confidence is not None:
        scores = score_by(metric, answers, examples)
        stated = np.array([each.score for each in final])
        found = reliability(stated, scores, [example.document for example in examples])
    return BundleEvaluation(answers, metric, split, found)
