"""Intervals by document bootstrap.

Questions about one document rise and fall together, so documents are drawn anew, not questions
(cluster bootstrap; Efron and Tibshirani, An Introduction to the Bootstrap, 1993). Two candidates
are compared on the same draws, question by question, so what is common to both cancels.
"""

from collections.abc import Iterable, Iterator, Sequence
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


_Drawn = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class _Draws:
    """Documents drawn with replacement, the same for all scores of the same questions.

    Args:
        documents: Document of each question, Q long.
        rounds: Draws.
        seed: Decides them.
    """

    def __init__(self, documents: Sequence[str], rounds: int, seed: int) -> None:
        _, self._rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
        self._counts = np.bincount(self._rows)
        self._rounds, self._seed = rounds, seed
        self._kept: _Drawn | None = None

    def means(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
        """Means of ``values [Q]`` over the drawn documents, float64 ``[rounds]``.

        ``None`` where all questions are about one document: it would be drawn every time, and the
        interval would have no width although nothing is known about other documents.
        """
        if values.shape != self._rows.shape or not len(values):
            raise ValueError(
                f"{len(values)} scores for {len(self._rows)} documents; one each is needed"
            )
        if len(self._counts) < 2:
            return None
        sums = np.bincount(self._rows, values)
        return np.concatenate([sums[drawn].sum(axis=1) / size for drawn, size in self._blocks()])

    def _blocks(self) -> Iterable[_Drawn]:
        """Numbers of the drawn documents ``[n, D]``, and how many questions those have ``[n]``.

        All at once, and drawn once, where memory allows.
        """
        step = max(1, _DRAWN_AT_ONCE // len(self._counts))
        if step >= self._rounds:
            self._kept = self._kept or next(self._draw(step))
            return [self._kept]
        return self._draw(step)

    def _draw(self, step: int) -> Iterator[_Drawn]:
        rng, documents = np.random.default_rng(self._seed), len(self._counts)
        for at in range(0, self._rounds, step):
            drawn = rng.integers(documents, size=(min(step, self._rounds - at), documents))
            yield drawn, self._counts[drawn].sum(axis=1)


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
    draws = _Draws(documents, rounds, seed).means(values)
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
    return paired_with_each([first], second, documents, rounds, seed, level)[0]


def paired_with_each(
    firsts: Iterable[npt.ArrayLike],
    second: npt.ArrayLike,
    documents: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = 0,
    level: float = LEVEL,
) -> list[Comparison]:
    """Several times :func:`paired`, on the same draws, which are drawn once.

    Args:
        firsts: Scores of each of those that are compared.
        second: Scores of what they are compared with.
        documents: Document of each question, Q long.
        rounds: Draws.
        seed: Decides the draws.
        level: Coverage of the intervals, 0 to 1.
    """
    drawn, base = _Draws(documents, rounds, seed), np.asarray(second, dtype=np.float64)
    return [_compared(np.asarray(each, dtype=np.float64) - base, drawn, level) for each in firsts]


def _compared(gains: npt.NDArray[np.float64], drawn: _Draws, level: float) -> Comparison:
    draws = drawn.means(gains)
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
