"""The effect of a change on a score, from paired runs that may be looked at again and again.

A run with the change and one without it, trained with the same seed, are a pair; each question
gives a difference. Seeds and documents are both samples, so the mean difference has two errors: by
which documents happen to be public, and by which seeds happened to be drawn. Their variances are
estimated apart, from the means by document over all seeds and the means by seed over all
documents. Their sum is what a bootstrap estimates that draws documents and seeds anew,
independently of each other (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007);
both count what is left over more than once, so they err towards caution. With as few seeds as one
trains, quantiles of such a bootstrap are much too narrow. The interval is therefore Student's, each
part with its own degrees of freedom: ``half^2 = t(S - 1)^2 var_seeds + t(D - 1)^2 var_documents``.
Whatever the ratio of the two variances, it holds the truth at least as often as it says (Banerjee,
Approximate confidence interval for linear functions of means of k populations when the population
variances are not equal, Sankhya 22, 1960).

Whoever looks after each seed and stops when the interval excludes zero finds an effect sooner or
later where there is none. So there are few looks, after 3, 5, 8, 12 and so on seeds, and they spend
the allowed error: half of it the first, a quarter the second, and so on (alpha spending; Lan and
DeMets, Discrete sequential boundaries for clinical trials, Biometrika 70, 1983; by the union bound,
because looks share their documents and their increments are not independent). All intervals of all
looks hold at once in 95 %, however many looks there will be, so seeds may be added later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, hypot

import numpy as np
import numpy.typing as npt

from autoqa.scores.standard_errors import Spread

ERROR = 0.05
"""How likely any look of one change finds an effect that there is not, at most."""

FEWEST_SEEDS = 3
"""Seeds at the first look: Student's quantile at one degree of freedom lets nothing be seen."""

NEGLIGIBLE = 0.01
"""Effects that are no larger are not worth more runs."""


@dataclass(frozen=True, slots=True)
class SeededEffect:
    """The mean effect of a change over seeds and documents, as one look sees it.

    Attributes:
        mean: Mean gain, -1 to 1.
        low: Lower end of its interval.
        high: Upper end.
        seeds: Pairs of runs that this look has.
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the change helps or hurts."""
        return self.low > 0 or self.high < 0

    @property
    def is_clear(self) -> bool:
        """Whether more seeds are not needed: there is an effect, or none that matters."""
        return self.excludes_zero or max(-self.low, self.high) <= NEGLIGIBLE


def looks(most: int) -> Iterator[int]:
    """Numbers of seeds after which to look, each about half as many again: 3, 5, 8, 12, 18, ....

    Args:
        most: Seeds that there are, or will be.
    """
    seeds = FEWEST_SEEDS
    while seeds <= most:
        yield seeds
        seeds = ceil(1.5 * seeds)


def effect_at(gains: npt.ArrayLike, documents: Sequence[str], error: float) -> SeededEffect:
    """The mean gain with its interval, for one look.

    With a single document nothing is known of others, and the interval is -1 to 1.

    Args:
        gains: Difference on each question between two runs of one seed, ``[S, Q]``.
        documents: Document of each question, Q long.
        error: How likely the interval may miss the truth, 0 to 1.

    Raises:
        ValueError: There are fewer than two seeds, or not one document for each question.
    """
    # A quarter of a second that commands without ablations need not wait.
    from scipy.special import stdtrit

    values = np.asarray(gains, dtype=np.float64)
    seeds = len(values)
    if values.ndim != 2 or seeds < 2:
        raise ValueError(f"gains of shape {values.shape}: two seeds or more are needed")
    means = values.mean(axis=1)
    spread = Spread(values.mean(axis=0), documents)
    mean = float(means.mean())
    if spread.document_count < 2:
        return SeededEffect(mean, -1.0, 1.0, seeds)
    by_seed = float(means.std(ddof=1)) / seeds**0.5
    share = 1 - error / 2
    half = hypot(
        stdtrit(seeds - 1, share) * by_seed,
        stdtrit(spread.document_count - 1, share) * spread.error(0),
    )
    return SeededEffect(mean, max(-1.0, mean - half), min(1.0, mean + half), seeds)


def sequential_effect(gains: npt.ArrayLike, documents: Sequence[str]) -> SeededEffect | None:
    """What the looks so far say: the first that is clear, else the last.

    Args:
        gains: Difference on each question, in the order in which seeds were trained, ``[S, Q]``.
        documents: Document of each question, Q long.

    Returns:
        ``None`` before the first look.
    """
    values = np.asarray(gains, dtype=np.float64)
    effect = None
    for number, seeds in enumerate(looks(len(values)), start=1):
        effect = effect_at(values[:seeds], documents, ERROR / 2**number)
        if effect.is_clear:
            break
    return effect
