"""A bundle asked about questions whose answers are known."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoqa.bundle.input_rows import AnsweredRows
from autoqa.bundle.predictor import Ensemble
from autoqa.bundle.withholding import withheld
from autoqa.scores.answerability import AnswerSplit, split_scores
from autoqa.scores.calibration import Reliability, reliability
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric


@dataclass(frozen=True, slots=True)
class BundleEvaluation:
    """What a bundle answers, and what its confidence is worth.

    Attributes:
        answers: One text per question; empty where no answer is given.
        metric: The bundle's.
        split: Scores by whether there is an answer; ``None`` where every question has one, or the
            bundle cannot tell.
        reliability: Of questions with one context; ``None`` where there is none, or the bundle
            states no calibrated confidence.
    """

    answers: list[str]
    metric: str
    split: AnswerSplit | None
    reliability: Reliability | None


def evaluate_bundle(ensemble: Ensemble, answered: AnsweredRows, **asking: Any) -> BundleEvaluation:
    """Answers questions and compares.

    Args:
        ensemble: An opened bundle.
        answered: The questions with their answers, at least one.
        asking: Further arguments of :meth:`autoqa.bundle.predictor.Ensemble.predict`.

    Raises:
        ConfigError: The bundle's metric is a plugin's that is not installed; nothing is answered.
        DataError: A question cannot be answered.
    """
    manifest = ensemble.manifest
    get_metric(manifest.public.metric, "the bundle")
    rows, examples = answered.rows, answered.examples
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
    # The score of an answer from several contexts compares it with the others there.
    own = np.array([row.contexts is None for row in rows])
    found = None
    if manifest.confidence is not None and own.any():
        scores = score_by(metric, answers, examples)[own]
        stated = np.array([each.score for each in final])[own]
        documents = [each.document for each, one in zip(examples, own, strict=True) if one]
        found = reliability(stated, scores, documents)
    return BundleEvaluation(answers, metric, split, found)
