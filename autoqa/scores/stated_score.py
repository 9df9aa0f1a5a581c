"""What can be said of the best candidate when the public part has been read many times.

The best of many has a public score that is too high: it is where it is by skill and by luck. The
sampling error of its mean has two parts. What is *common* to all candidates, as when the public
documents happen to be easy, does not help one against another and is no matter of choice. What is
its *own*, its luck with these documents, is what choosing picks out. If the own parts of two
candidates are independent and of equal size, their difference has twice the variance of one;
relatives (a candidate and its perturbation, two snapshots of a run) share some of theirs, so the
least related candidate tells the size: ``own = max_j se(best - j) / sqrt(2)``.

**Stated score.** Of m candidates that are equally good the luckiest is about ``own * E(m)`` too
high, E(m) being the mean of the highest of m standard normal numbers. Taken off is that for the m
candidates still in contention, those whose paired 95 % interval to the best holds zero. Where true
scores differ so much that nothing else is in contention, nothing is taken off.

**Interval.** The common part is allowed for once, the own part at the level that makes 95 % hold
for all k reads at once (Bonferroni): ``half^2 = (t(1) se)^2 + (t(k)^2 - t(1)^2) own^2`` with
``t(k)`` Student's quantile at ``1 - 0.025 / k``, documents less one its degrees of freedom. With
one read this is the usual interval.

This is no worst-case bound. Against an adversary who reads scores in order to find out the labels,
nothing holds but the private part; an adaptive search whose every candidate inherits all the luck
of the one before, and no skill, can also outrun it. ``tests/benchmarks/bench_leaderboard.py``
measures coverage and optimism for searches that perturb the best so far.
"""

import math
from dataclasses import dataclass

import numpy as np

from autoqa.scores.quantiles import expected_highest, t_quantile
from autoqa.scores.standard_errors import Spread

_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Statement:
    """What may be said of the best candidate.

    Attributes:
        public: Its mean on the public part, as measured.
        score: Its mean less the luck that it is likely to have had.
        low: Lower end of the 95 % interval, which accounts for the reads.
        high: Upper end.
        half_width: Half its width before it is cut at 0 and 1.
        reads: How often the public part was read.
        contenders: Candidates in contention, the best included.
    """

    public: float
    score: float
    low: float
    high: float
    half_width: float
    reads: int
    contenders: int


def stated_score(spread: Spread, best: int, reads: int) -> Statement:
    """The best candidate's score less its likely luck, and the interval that allows for the reads.

    Args:
        spread: Scores of all candidates.
        best: Position of the best, see :func:`autoqa.scores.ladder.best_so_far`.
        reads: Reads of the public part; at least as many as candidates are counted.
    """
    public, reads = float(spread.means[best]), max(reads, len(spread.means))
    if spread.document_count < 2:
        return Statement(public, public, 0.0, 1.0, 1.0, reads, len(spread.means))
    error, gaps = spread.error(best), spread.gap_errors(best)
    # No part of the error is larger than the whole of it.
    own_error = min(error, float(gaps.max()) / math.sqrt(2))
    once = t_quantile(1 - _TAIL, spread.document_count - 1)
    often = t_quantile(1 - _TAIL / reads, spread.document_count - 1)
    near = public - spread.means <= once * gaps + 1e-12
    contenders = int(np.count_nonzero(near))
    score = max(0.0, public - own_error * expected_highest(contenders))
    half = math.sqrt((once * error) ** 2 + (often**2 - once**2) * own_error**2)
    return Statement(
        public, score, max(0.0, score - half), min(1.0, score + half), half, reads, contenders
    )
