"""When an ensemble says that there is no answer: a probability, and the threshold above which."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles

_CERTAIN = -math.log(1e-15)
"""Odds beyond are cut, so that no exponential overflows."""

ALWAYS_ANSWERS = 1.0
"""The threshold that no probability exceeds."""


@dataclass(frozen=True, slots=True)
class EvidenceScale:
    """Groups' evidences as one log-odds that there is an answer: ``intercept + sum(slope * e)``.

    Attributes:
        intercept: Log-odds at no evidence either way.
        slopes: Weight of each group's evidence, 0 or more.
    """

    intercept: float
    slopes: Mapping[str, float]

    def joined(self, evidence: Mapping[str, Doubles]) -> Doubles:
        """Log-odds of an answer for each question, float64 ``[Q]``."""
        total = np.full(len(next(iter(evidence.values()))), self.intercept)
        for group, values in evidence.items():
            total += self.slopes.get(group, 0.0) * values
        return total


@dataclass(frozen=True, slots=True)
class NoneRule:
    """No answer is given where its probability exceeds a threshold.

    Attributes:
        scale: From evidence to log-odds.
        threshold: For languages that have none of their own, 0 to 1.
        by_language: Thresholds of languages.
    """

    scale: EvidenceScale
    threshold: float
    by_language: Mapping[str, float] = field(default_factory=dict)

    def says_none(self, probability: Doubles, languages: Sequence[str]) -> npt.NDArray[np.bool_]:
        """For which questions there is no answer, ``[Q]``.

        Args:
            probability: That there is none, float64 ``[Q]``.
            languages: Language of each question.
        """
        limits = [self.by_language.get(each, self.threshold) for each in languages]
        above: npt.NDArray[np.bool_] = probability > np.array(limits, np.float64)
        return above

    def at(self, threshold: float) -> "NoneRule":
        """The rule with one threshold for all languages."""
        return replace(self, threshold=threshold, by_language={})


def mean_evidence(evidence: Mapping[str, Doubles]) -> Doubles:
    """The mean of groups whose scale is not known, float64 ``[Q]``."""
    mean: Doubles = np.mean(list(evidence.values()), axis=0)
    return mean


def none_probability(log_odds: Sequence[float] | Doubles) -> Doubles:
    """Probability that there is no answer, float64 ``[Q]``, from log-odds that there is one."""
    capped = np.clip(np.asarray(log_odds, np.float64), -_CERTAIN, _CERTAIN)
    probability: Doubles = 1 / (1 + np.exp(capped))
    return probability
