"""From what an ensemble says of an answer to the score that such answers reach.

Plain numbers that are fitted once (:mod:`autoqa.analysis.confidence_fit`), so that a bundle states
its confidence without any library for fitting.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles

FEATURES = ("score", "agreement", "evidence")
"""What a confidence is computed from."""

_LEAST = 1e-6
"""A span's probability is kept this far from 0 and 1, where its log-odds end."""
_MOST_EVIDENCE = 30.0
"""Evidence beyond says no more: the odds are those of a certain answer either way."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """Expected score of an answer: a logistic curve of features, then steps that only rise.

    Attributes:
        intercept: Log-odds where all features are 0.
        slopes: Weight of each of :data:`FEATURES`, 0 or more.
        stated: Ascending values of the curve at which the steps were fitted; empty for none.
        reached: What answers there reach, never falling, 0 to 1; between them is a straight line.
    """

    intercept: float
    slopes: tuple[float, float, float]
    stated: tuple[float, ...] = ()
    reached: tuple[float, ...] = ()

    def of(self, features: Doubles) -> Doubles:
        """Expected score of answers, 0 to 1, float64 ``[Q]``.

        Args:
            features: What :func:`confidence_features` gives, ``[Q, 3]``.
        """
        odds = np.clip(self.intercept + features @ np.array(self.slopes), -700, 700)
        curve: Doubles = 1 / (1 + np.exp(-odds))
        return np.interp(curve, self.stated, self.reached) if self.stated else curve


def confidence_features(scores: Sequence[float], agreement: Doubles, evidence: Doubles) -> Doubles:
    """What a confidence is computed from, float64 ``[Q, 3]``, higher is surer.

    Args:
        scores: Probability of each answer as decoding gives it, 0 to 1.
        agreement: Of the members with the answer, 0 to 1, ``[Q]``.
        evidence: That there is an answer at all, ``[Q]``.
    """
    kept = np.clip(np.asarray(scores, np.float64), _LEAST, 1 - _LEAST)
    bounded = np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE)
    return np.stack([np.log(kept / (1 - kept)), agreement, bounded], axis=1)
