"""Scores of spans beyond the plain sum: weights of both ends, and a prior on the length.

The search is exact: a score with a prior is no sum of parts that a sliding maximum could split, so
every length is tried for every start.
"""

import math
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles, Floats, Indices

SHORTEST_SPREAD = 0.25
"""Least spread of the logarithm of lengths: below, a prior would decide on the length alone."""


@dataclass(frozen=True, slots=True)
class SpanScoring:
    """What a span of n tokens scores: ``start * s + end * e + length * log p(n)``.

    s and e are the logits of its first and last token. p is the log-normal distribution with mean
    and spread of log n; its constant is left out, for it moves no span before another.

    Attributes:
        start: Weight of the start logit, above 0.
        end: Weight of the end logit, above 0.
        length: Weight of the prior; 0 is none.
        log_mean: Mean of the logarithm of the number of tokens.
        log_spread: Its standard deviation, above 0.
    """

    start: float = 1.0
    end: float = 1.0
    length: float = 0.0
    log_mean: float = 0.0
    log_spread: float = 1.0

    def prior(self, tokens: int) -> float:
        """What the length adds to a score, in nats."""
        if not self.length:
            return 0.0
        log = math.log(tokens)
        squares = ((log - self.log_mean) / self.log_spread) ** 2
        return -self.length * (squares / 2 + log)


def fit_lengths(tokens: Indices) -> tuple[float, float]:
    """Mean and spread of the logarithms of answers' lengths, int64 ``[A]``, at least one."""
    logs = np.log(tokens)
    return float(logs.mean()), max(SHORTEST_SPREAD, float(logs.std()))


def best_scored(
    start: Floats,
    end: Floats,
    low: Indices,
    high: Indices,
    begin: Indices,
    *,
    reach: int,
    scoring: SpanScoring,
) -> tuple[Indices, Indices]:
    """The best span of each example that is not white space.

    Args:
        start: Start logits of cells as :class:`autoqa.decoding.span_search.SpanGrid` lays them
            out, ``[S]``.
        end: End logits ``[S]``.
        low: First character of a span that begins at a cell, ``[S]``.
        high: One past the last character of a span that ends at a cell, ``[S]``.
        begin: Cells of example i are ``begin[i]:begin[i + 1]``, ``[R + 1]``, none of them empty.
        reach: Most tokens in a span.
        scoring: What a span scores.

    Returns:
        First and last cell, int64 ``[R]`` each; -1 where every span is white space. Of equal scores
        the first start wins, then the shortest.
    """
    first_part: Doubles = scoring.start * start.astype(np.float64)
    last_part: Doubles = scoring.end * end.astype(np.float64)
    best: Doubles = np.full(len(start), -np.inf)
    ahead: Indices = np.zeros(len(start), np.int64)
    for step in range(min(reach, len(start))):
        count = len(start) - step
        total = first_part[:count] + last_part[step:] + scoring.prior(step + 1)
        better = np.flatnonzero((total > best[:count]) & (low[:count] < high[step:]))
        best[better], ahead[better] = total[better], step
    if len(begin) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    highest = np.maximum.reduceat(best, begin[:-1])
    hits = np.flatnonzero(best == np.repeat(highest, np.diff(begin)))
    first = hits[np.searchsorted(hits, begin[:-1])]
    found = np.isfinite(highest)
    return np.where(found, first, -1), np.where(found, first + ahead[first], -1)
