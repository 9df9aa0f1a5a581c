"""Intervals by document bootstrap.

Questions about one document rise and fall together, so documents are drawn anew, not questions
(cluster bootstrap; Efron and Tibshirani, An Introduction to the Bootstrap, 1993). Two candidates
are compared on the same draws, question by question, so what is common to both cancels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 2000
LEVEL = 0.95
"""Coverage of intervals unless another is asked for."""

_DRAWN_AT_ONCE = 4_000_000
"""Documents drawn before they are summed; bounds the memory."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean score and its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much better one candidate is than another on the same questions.

    Attributes:
        gain: Mean difference.
        low: Lower end of its interval, 95 % unless another level was asked for.
        high: Upper end.
        standard_error: Standard deviation of the difference over draws of documents.
        p_better: Share of draws in which the first is better; ties count half.
    """

    gain: float
    low: float
    high: float
    standard_error: float
    p_better: float


def _draws(
    values: npt.NDArray[np.float64], documents: Sequence[str], rounds: int, seed: int
) -> npt.NDArray[np.float64] | None:
    """Means of ``values [Q]`` over documents drawn with replacement, float64 ``[rounds]``.

    ``None`` where all questions are about one document: it would be drawn every time, and the
    interval would have no width although nothing is known about other documents.
    """
    if values.shape != (len(documents),) or not len(values):
        raise ValueError(f"{len(values)} scores for {len(documents)} documents; one each is needed")
    _, rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
    sums, counts = np.bincount(rows, values), np.bincount(rows)
    if len(sums) < 2:
        return None
    rng = np.random.default_rng(seed)
    means = np.empty(rounds)
    step = max(1, _DRAWN_AT_ONCE // len(sums))
    for at in range(0, rounds, step):
        drawn = rng.integers(len(sums), size=(min(step, rounds - at), len(sums)))
        means[at : at + step] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _ends(draws: npt.NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval(
    scores: npt.ArrayLike, documents: Sequence[str], rounds: int = ROUNDS, seed: int = 0
) -> Interval:
    """The mean score with its 95 % percentile interval; 0 to 1 where there is but one document.

    Args:
        scores: One score per question, ``[Q]``.
        documents: Document of each question, Q long.
        rounds: Draws.
        seed: Decides the draws.
    """
    values = np.asarray(scores, dtype=np.float64)
    draws = _draws(values, documents, rounds, seed)
    low, high = (0.0, 1.0) if draws is None else _ends(draws, LEVEL)
    return Interval(float(values.mean()), low, high)


def paired(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    documents: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = 0,
    level: float = LEVEL,
) -> Comparison:
    """How much better ``first`` is than ``second``, both scores of the same questions ``[Q]``.

    With a single document nothing can be said: the interval is -1 to 1, the standard error 1.

    Args:
        first: Scores.
        second: Scores of the same questions.
        documents: Document of each question, Q long.
        rounds: Draws; the higher the level, the more it takes.
        seed: Decides the draws.
        level: Coverage of the interval, 0 to 1.
    """
    gains = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    draws = _draws(gains, documents, rounds, seed)
    if draws is None:
        return Comparison(float(gains.mean()), -1.0, 1.0, standard_error=1.0, p_better=0.5)
    low, high = _ends(draws, level)
    return Comparison(
        gain=float(gains.mean()),
        low=low,
        high=high,
        standard_error=float(draws.std()),
        p_better=float((draws > 0).mean() + (draws == 0).mean() / 2),
    )
