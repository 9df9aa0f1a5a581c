"""Whether two scores of the same things agree: in order, in proportion, in size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.scores.bootstrap import Interval
from autoqa.scores.quantiles import t_quantile

FEWEST = 5
"""Pairs below which nothing useful can be said of a correlation."""

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well one score predicts another.

    Attributes:
        pairs: How many things have both.
        pearson: Linear correlation with its 95 % interval; ``None`` where a score never changes.
        spearman: Correlation of the ranks, likewise.
        offset: Mean of second less first, with its 95 % interval (Student's t).
    """

    pairs: int
    pearson: Interval | None
    spearman: Interval | None
    offset: Interval


def agreement(first: Sequence[float], second: Sequence[float]) -> Agreement:
    """Compares two scores of the same things.

    Intervals are Fisher's, ``tanh(atanh(r) +- 1.96 s)`` with ``s^2 = 1 / (n - 3)``, and for ranks
    ``(1 + r^2 / 2) / (n - 3)`` (Bonett and Wright, Psychometrika 65, 2000). A perfect correlation
    has the lower end of one that an exchange of two neighbouring ranks would leave. With three
    pairs or fewer nothing is known: they are -1 to 1.

    Raises:
        ValueError: There are fewer than two, or not as many of one as of the other.
    """
    firsts, seconds = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if firsts.shape != seconds.shape or firsts.ndim != 1 or len(firsts) < 2:
        raise ValueError(f"{firsts.shape} and {seconds.shape} scores; two or more pairs are needed")
    gaps, count = seconds - firsts, len(firsts)
    error = float(gaps.std(ddof=1)) / math.sqrt(count)
    reach = t_quantile(0.975, count - 1) * error
    mean = float(gaps.mean())
    return Agreement(
        pairs=count,
        pearson=_correlation(firsts, seconds, 0.0),
        spearman=_correlation(ranks(firsts), ranks(seconds), 0.5),
        offset=Interval(mean, mean - reach, mean + reach),
    )


def ranks(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Ranks from 1, the highest value first; equal ones share their mean rank."""
    given = np.asarray(values, np.float64)
    _, group, counts = np.unique(-given, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[group]
    return shared


def _correlation(
    firsts: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64], inflation: float
) -> Interval | None:
    a, b = firsts - firsts.mean(), seconds - seconds.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    if scale < 1e-12:
        return None
    r = min(1.0, max(-1.0, float(a @ b) / scale))
    count = len(firsts)
    if count <= 3:
        return Interval(r, -1.0, 1.0)
    near = 1 - 12 / (count * (count**2 - 1))
    perfect = 1 - abs(r) < 1e-9
    middle = math.atanh(math.copysign(near, r) if perfect else r)
    reach = _Z * math.sqrt((1 + inflation * r * r) / (count - 3))
    low, high = math.tanh(middle - reach), math.tanh(middle + reach)
    return Interval(r, min(low, r), max(high, r))
