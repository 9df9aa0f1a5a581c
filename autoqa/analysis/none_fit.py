"""When an ensemble should give no answer, fitted on stored public predictions.

A logistic regression makes one probability of the evidences of all groups; a threshold on it is
chosen so that the mean score of the public part is highest, for all languages together and for
those that have enough rows of both kinds. Two numbers beside a slope for each group are all that
is fitted, so the public part's own figures are hardly too good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.arrays import Doubles
from autoqa.ensemble.joining.evidence import NOTHING_READ
from autoqa.ensemble.joining.none_rule import ALWAYS_ANSWERS, EvidenceScale, NoneRule
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.scores.answerability import (
    AnswerSplit,
    best_threshold,
    split_scores,
    threshold_interval,
)
from autoqa.scores.metrics import score_by
from autoqa.text.scripts import language_of
from autoqa.types import Example

LANGUAGE_ROWS = 100
"""Fewest rows of each kind for a language's own threshold. Measured on real data: with 60 of each
the own threshold of a language loses more by chance than languages differ."""


@dataclass(frozen=True, slots=True)
class FittedThreshold:
    """A threshold with its interval.

    Attributes:
        value: Probability of no answer above which none is given.
        low: Lower end of its 95 % interval (documents drawn anew).
        high: Upper end.
        answerable: Rows with an answer that it was fitted on.
        unanswerable: Rows without.
    """

    value: float
    low: float
    high: float
    answerable: int
    unanswerable: int


@dataclass(frozen=True, slots=True)
class NoneFit:
    """What was fitted, and what it is worth on the public part.

    Attributes:
        scale: From evidence to log-odds.
        threshold: For all languages together.
        by_language: For those with enough rows.
        public: Scores of the public part with these thresholds.
    """

    scale: EvidenceScale
    threshold: FittedThreshold
    public: AnswerSplit
    by_language: Mapping[str, FittedThreshold] = field(default_factory=dict)

    @property
    def rule(self) -> NoneRule:
        """The rule that an ensemble answers by."""
        own = {language: each.value for language, each in self.by_language.items()}
        return NoneRule(self.scale, self.threshold.value, own)


def has_both_kinds(examples: Sequence[Example]) -> bool:
    """Whether some questions have an answer and some have none."""
    return len({bool(example.answers) for example in examples}) == 2


def fit_none(part: StoredPart, plan: EnsemblePlan) -> NoneFit | None:
    """Fits an ensemble's rule; ``None`` where no question of the part is without an answer.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble; its own rule is left aside.

    Raises:
        DataError: Predictions do not fit.
    """
    if not has_both_kinds(part.examples):
        return None
    plain = part.joined(replace(plan, none=None))
    absent = np.array([not example.answers for example in part.examples])
    scale = fit_scale(plain.by_group, ~absent)
    answering = NoneRule(scale, ALWAYS_ANSWERS)
    joined = part.joined(replace(plan, none=answering))
    assert joined.no_answer is not None
    texts = [span.text for span in joined.spans]
    answered = score_by(part.metric, texts, part.examples)
    return fit_thresholds(scale, joined.no_answer, answered, part.examples)


def fit_scale(by_group: Mapping[str, Doubles], answerable: np.ndarray) -> EvidenceScale:
    """A logistic regression of whether there is an answer on all groups' evidences.

    A group whose weight would be negative is left out: surer that there is an answer must never
    make one less likely.

    Args:
        by_group: Evidence of each group, ``[Q]``.
        answerable: Whether there is an answer, bool ``[Q]``, of both kinds.
    """
    from sklearn.linear_model import LogisticRegression

    read = np.all([values > NOTHING_READ for values in by_group.values()], axis=0)
    left = list(by_group)
    while left and len(set(answerable[read].tolist())) == 2:
        table = np.stack([by_group[group][read] for group in left], axis=1)
        spread = np.maximum(table.std(axis=0), 1e-9)
        model = LogisticRegression(C=1.0, max_iter=1000).fit(table / spread, answerable[read])
        slopes = model.coef_[0] / spread
        if (slopes >= 0).all():
            weights = dict(zip(left, slopes.tolist(), strict=True))
            return EvidenceScale(float(model.intercept_[0]), weights)
        left.pop(int(np.argmin(model.coef_[0])))
    share = (answerable.sum() + 1) / (len(answerable) + 2)
    return EvidenceScale(float(np.log(share / (1 - share))), {})


def fit_thresholds(
    scale: EvidenceScale, probability: Doubles, answered: Doubles, examples: Sequence[Example]
) -> NoneFit:
    """Chooses the thresholds.

    Args:
        scale: What made the probabilities.
        probability: That there is no answer, ``[Q]``.
        answered: Score of each question's answer, ``[Q]``.
        examples: The questions.
    """
    none = np.array([float(not example.answers) for example in examples])
    languages = [language_of(each.language, each.context) for each in examples]
    documents = [example.document for example in examples]

    def fitted(rows: np.ndarray) -> FittedThreshold:
        three = probability[rows], answered[rows], none[rows]
        low, high = threshold_interval(*three, [documents[row] for row in rows.tolist()])
        value, low, high = np.clip((best_threshold(*three), low, high), 0.0, 1.0).tolist()
        absent = int(none[rows].sum())
        return FittedThreshold(value, low, high, len(rows) - absent, absent)

    own = {}
    for language in sorted(set(languages)):
        rows = np.flatnonzero(np.array(languages) == language)
        kinds = int(none[rows].sum()), int((1 - none[rows]).sum())
        # One language alone has the threshold of all.
        if min(kinds) >= LANGUAGE_ROWS and len(rows) < len(examples):
            own[language] = fitted(rows)
    everything = fitted(np.arange(len(examples)))
    rule = NoneRule(scale, everything.value, {name: each.value for name, each in own.items()})
    given = rule.says_none(probability, languages)
    return NoneFit(scale, everything, split_scores(given, probability, answered, none), own)
