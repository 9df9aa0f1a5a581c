"""When an ensemble should give no answer, fitted on what it says of the public part.

A logistic regression makes one probability of the evidences of all groups; a threshold on it is
chosen so that the mean score of such questions is highest, for all languages together and for
those that have enough rows of both kinds. Two numbers beside a slope for each group are all that
is fitted, so the public part's own figures are hardly too good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.evidence import NOTHING_READ, group_evidence
from autoqa.ensemble.joining.none_rule import EvidenceScale, NoneRule, none_probability
from autoqa.ensemble.joining.own_none import has_both_kinds
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.scores.answerability import AnswerSplit, bagged_threshold, split_scores
from autoqa.text.scripts import language_of
from autoqa.types import Example

LANGUAGE_ROWS = 100
"""Fewest rows of each kind for a language's own threshold. With thresholds fitted on 60 of each,
seven languages of real data lost .001 to .002 of F1 against one threshold for all."""


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


def fit_rule(
    by_group: Mapping[str, Doubles], answered: Doubles, examples: Sequence[Example]
) -> NoneFit:
    """Fits scale and thresholds on the same questions.

    Args:
        by_group: Evidence of each group, ``[Q]``.
        answered: Score of each question's answer, ``[Q]``.
        examples: The questions, of both kinds.
    """
    scale = fit_scale(by_group, np.array([bool(example.answers) for example in examples]))
    return fit_thresholds(scale, none_probability(scale.joined(by_group)), answered, examples)


def with_none(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    answered: Doubles,
    examples: Sequence[Example],
) -> Doubles:
    """Scores of an ensemble that gives no answer as it would once it is exported.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        answered: Score of each question's answer, ``[Q]``.
        examples: The questions; where all of them have answers, nothing changes.

    Returns:
        float64 ``[Q]``.
    """
    if not has_both_kinds(examples):
        return answered
    by_group = group_evidence(plan, logits, windows, len(examples))
    rule = fit_rule(by_group, answered, examples).rule
    languages = [language_of(each.language, each.context) for each in examples]
    given = rule.says_none(none_probability(rule.scale.joined(by_group)), languages)
    return np.where(given, [float(not each.answers) for each in examples], answered)


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
        drawn = [documents[row] for row in rows.tolist()]
        found = bagged_threshold(probability[rows], answered[rows], none[rows], drawn)
        value, low, high = np.clip(found, 0.0, 1.0).tolist()
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
