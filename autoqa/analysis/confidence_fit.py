"""What an ensemble's answers are expected to score, fitted on stored public predictions.

Several ways to make a confidence are fitted on some documents and judged on the others, each
document once. The one with the lowest log loss there is fitted again on all of them; what
confidence is worth is stated by predictions for documents that had no say. Answers are not
touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.joining.confidence import FEATURES, Confidence, confidence_features
from autoqa.ensemble.joining.join import Joined
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.scores.calibration import Reliability, log_loss, reliability
from autoqa.scores.metrics import score_by
from autoqa.types import Example

FEWEST_QUESTIONS = 50
"""Fewer say too little of four numbers: ten to fifteen for each, as is usual for a regression."""
FEWEST_DOCUMENTS = 5
"""As many as there are folds."""
FOLDS = 5

Way = tuple[str, tuple[int, ...], bool, bool]
"""Name, places of features, whether there is an intercept, whether steps follow."""

WAYS: tuple[Way, ...] = tuple(
    (name + ("+isotonic" if steps else ""), places, free, steps)
    for steps in (False, True)
    for name, places, free in (
        ("temperature", (0,), False),
        ("platt", (0,), True),
        ("logistic", (0, 1, 2), True),
    )
)
"""What is tried, the simplest first: of equally good ones it is taken."""


@dataclass(frozen=True, slots=True)
class ConfidenceFit:
    """A confidence, and what it is worth.

    Attributes:
        way: Name of the way that was taken.
        confidence: Fitted on all public documents.
        public: Of public answers, by confidences that their documents had no say in.
        before: Expected calibration error of the spans' probabilities.
        loss: Log loss of the way, of documents that had no say, in nats.
    """

    way: str
    confidence: Confidence
    public: Reliability
    before: float
    loss: float


def fit_confidence(part: StoredPart, plan: EnsemblePlan) -> ConfidenceFit | None:
    """Fits an ensemble's confidence; ``None`` where the public part is too small for it.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble as it will answer, with its rule for no answer.

    Raises:
        DataError: Predictions do not fit.
    """
    documents = {example.document for example in part.examples}
    if len(part.examples) < FEWEST_QUESTIONS or len(documents) < FEWEST_DOCUMENTS:
        return None
    answering = None if plan.none is None else plan.none.at(1.0)
    joined = part.joined(replace(plan, none=answering))
    final = part.joined(plan)
    scores = score_by(part.metric, [span.text for span in joined.spans], part.examples)
    reached = score_by(part.metric, [span.text for span in final.spans], part.examples)
    return cross_fit_confidence(joined, final, scores, reached, part.examples)


def cross_fit_confidence(
    joined: Joined,
    final: Joined,
    scores: Doubles,
    reached: Doubles,
    examples: Sequence[Example],
) -> ConfidenceFit:
    """Chooses a way by documents that had no say in its numbers.

    Args:
        joined: An answer to every question.
        final: What is really answered, "none" among it.
        scores: Score of each of the former, 0 to 1, ``[Q]``.
        reached: Score of each of the latter.
        examples: The questions.
    """
    features = confidence_features(
        [span.score for span in joined.spans], joined.agreement, joined.evidence
    )
    documents = [example.document for example in examples]
    fold = _folds(documents)
    held_out = {way: _held_out(way, features, scores, fold) for way in WAYS}
    losses = {way: log_loss(held_out[way], scores) for way in WAYS}
    way = min(WAYS, key=lambda each: round(losses[each], 6))
    spoken = held_out[way]
    today = np.array([span.score for span in final.spans])
    if final.no_answer is not None:
        none = np.array([not span.text for span in final.spans])
        spoken = np.where(none, final.no_answer, spoken)
    return ConfidenceFit(
        way=way[0],
        confidence=_fitted(way, features, scores),
        public=reliability(spoken, reached, documents),
        before=reliability(np.clip(today, 0, 1), reached, documents).error,
        loss=losses[way],
    )


def _folds(documents: Sequence[str]) -> Indices:
    """The fold of each question, int64 ``[Q]``; whole documents."""
    names, rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
    turn = np.random.default_rng(0).permutation(len(names)) % min(FOLDS, len(names))
    fold: Indices = turn[rows]
    return fold


def _held_out(way: Way, features: Doubles, scores: Doubles, fold: Indices) -> Doubles:
    made = np.empty(len(scores))
    for number in np.unique(fold):
        judged = fold == number
        made[judged] = _fitted(way, features[~judged], scores[~judged]).of(features[judged])
    return made


def _fitted(way: Way, features: Doubles, scores: Doubles) -> Confidence:
    _, places, free, steps = way
    confidence = _curve(places, free, features, scores)
    return _with_steps(confidence, features, scores) if steps else confidence


def _curve(places: tuple[int, ...], free: bool, features: Doubles, scores: Doubles) -> Confidence:
    """A logistic regression of a score from 0 to 1; features that would lower it are left out."""
    from sklearn.linear_model import LogisticRegression

    # Each row counts for right by its score and for wrong by the rest. Platt (Probabilistic Outputs
    # for Support Vector Machines, 1999) keeps targets off 0 and 1 by one row of either kind.
    margin = 1 / (len(scores) + 2)
    right = margin + scores * (1 - 2 * margin)
    labels = np.repeat([1, 0], len(scores))
    weights = np.concatenate([right, 1 - right])
    left = [place for place in places if features[:, place].std() > 1e-9]
    while left:
        middle = features[:, left].mean(axis=0) if free else np.zeros(len(left))
        spread = features[:, left].std(axis=0)
        table = np.tile((features[:, left] - middle) / spread, (2, 1))
        model = LogisticRegression(C=10.0, fit_intercept=free, max_iter=1000)
        model.fit(table, labels, sample_weight=weights)
        if (model.coef_[0] >= 0).all():
            slopes = [0.0] * len(FEATURES)
            for place, slope in zip(left, (model.coef_[0] / spread).tolist(), strict=True):
                slopes[place] = slope
            shift = float(model.coef_[0] / spread @ middle)
            start = float(model.intercept_[0]) - shift if free else 0.0
            return Confidence(start, (slopes[0], slopes[1], slopes[2]))
        left.pop(int(np.argmin(model.coef_[0])))
    mean = float(right.mean())
    return Confidence(float(np.log(mean / (1 - mean))), (0.0, 0.0, 0.0))


def _with_steps(confidence: Confidence, features: Doubles, scores: Doubles) -> Confidence:
    from sklearn.isotonic import IsotonicRegression

    curve = confidence.of(features)
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(curve, scores)
    stated, reached = model.X_thresholds_.tolist(), model.y_thresholds_.tolist()
    return replace(confidence, stated=tuple(stated), reached=tuple(reached))
