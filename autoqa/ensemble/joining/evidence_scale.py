"""Evidence of an answer, on the scale of log-odds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles

_CERTAIN = -math.log(1e-15)
"""Odds beyond are cut, so that no exponential overflows."""


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


def mean_evidence(evidence: Mapping[str, Doubles]) -> Doubles:
    """The mean of groups whose scale is not known, float64 ``[Q]``."""
    mean: Doubles = np.mean(list(evidence.values()), axis=0)
    return mean


def none_probability(log_odds: Sequence[float] | Doubles) -> Doubles:
    """Probability that there is no answer, float64 ``[Q]``."""
    capped = np.clip(np.asarray(log_odds, np.float64), -_CERTAIN, _CERTAIN)
    probability: Doubles = 1 / (1 + np.exp(capped))
    return probability
