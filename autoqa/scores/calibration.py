"""Whether confidence is worth what it says: reliability, calibration error, the surest answers.

Expected calibration error as Guo et al., On Calibration of Modern Neural Networks, 2017: the mean
distance of stated confidence and reached score over bins of equal width, weighted by their rows.
The score reached may be any number from 0 to 1, not only right or wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles, Indices
from autoqa.scores.bootstrap import interval

BINS = 10
SHARES = (0.5, 0.8, 0.9)
"""Shares of the surest answers that are scored by themselves."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers of like confidence.

    Attributes:
        stated: Their mean confidence.
        reached: Their mean score.
        low: Lower end of its 95 % interval (documents drawn anew).
        high: Upper end.
        questions: How many they are.
    """

    stated: float
    reached: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True, slots=True)
class SurestShare:
    """The surest answers.

    Attributes:
        share: Their share of all.
        reached: Their mean score.
        low: Lower end of its 95 % interval (documents drawn anew).
        high: Upper end.
        confidence: That of the least sure of them.
    """

    share: float
    reached: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """What confidence is worth.

    Attributes:
        error: Expected calibration error.
        bins: Answers by confidence, ascending; only bins that have any.
        surest: By :data:`SHARES`.
        questions: How many answers there are.
    """

    error: float
    bins: tuple[ReliabilityBin, ...]
    surest: tuple[SurestShare, ...]
    questions: int


def reliability(confidence: Doubles, scores: Doubles, documents: Sequence[str]) -> Reliability:
    """Compares confidence with what answers reach.

    Args:
        confidence: Of each answer, 0 to 1, ``[Q]``, at least one.
        scores: Of each answer, 0 to 1, ``[Q]``.
        documents: Document of each question.
    """
    names = np.array(documents, dtype=str)
    bins = []
    for rows in _binned(confidence):
        spread = interval(scores[rows], names[rows].tolist())
        stated = float(confidence[rows].mean())
        bins.append(ReliabilityBin(stated, spread.mean, spread.low, spread.high, len(rows)))
    order = np.argsort(-confidence, kind="stable")
    surest = []
    for share in SHARES:
        rows = order[: max(1, round(share * len(order)))]
        spread = interval(scores[rows], names[rows].tolist())
        least = float(confidence[rows[-1]])
        surest.append(SurestShare(share, spread.mean, spread.low, spread.high, least))
    error = calibration_error(confidence, scores)
    return Reliability(error, tuple(bins), tuple(surest), len(scores))


def calibration_error(confidence: Doubles, scores: Doubles) -> float:
    """Expected calibration error, 0 to 1."""
    gaps = [abs(float((confidence[rows] - scores[rows]).sum())) for rows in _binned(confidence)]
    return sum(gaps) / len(scores)


def log_loss(confidence: Doubles, scores: Doubles) -> float:
    """Mean cross-entropy of confidence against scores from 0 to 1, in nats."""
    kept = np.clip(confidence, 1e-6, 1 - 1e-6)
    losses = scores * np.log(kept) + (1 - scores) * np.log(1 - kept)
    return -float(losses.mean())


def _binned(confidence: Doubles) -> list[Indices]:
    places = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return [rows for number in range(BINS) if len(rows := np.flatnonzero(places == number))]
