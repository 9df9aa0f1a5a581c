"""How the ensembles score on questions that had no say in choosing their members."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import WITH_COMPARABLE, EnsembleKind
from autoqa.ensemble.choosing.shrinkage import Difference, difference
from autoqa.ensemble.evaluation.evaluator import Evaluator, Seats
from autoqa.scores.bootstrap import Comparison, paired


@dataclass(frozen=True, slots=True, eq=False)
class Bag:
    """Documents drawn with replacement, and what was chosen on them.

    Attributes:
        weights: How often each question's document was drawn, ``[Q]``.
        seats: The ensembles.
    """

    weights: Doubles
    seats: dict[EnsembleKind, Seats]

    @property
    def outside(self) -> npt.NDArray[np.bool_]:
        """Questions whose document was not drawn, ``[Q]``."""
        outside: npt.NDArray[np.bool_] = self.weights == 0
        return outside


class Bags:
    """Ensembles chosen on draws of documents, scored on the documents that a draw left out.

    See Caruana et al. (2004), section on bagged ensemble selection.

    Args:
        evaluator: Scores ensembles.
        documents: Document of each question, Q long.
        limits: What an ensemble may be.
        count: How many bags to draw.
        seed: Decides the draws.
        comparable: Contenders that may stand in the mean of comparable ones.
        soup: The contender that is the widest average of weights, if there is one.

    Attributes:
        documents: As given.
        drawn: The bags.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        documents: Sequence[str],
        limits: EnsembleLimits,
        count: int,
        seed: int,
        comparable: Sequence[int],
        soup: int | None = None,
    ) -> None:
        self._evaluator = evaluator
        self.documents = documents
        self.drawn: list[Bag] = []
        rng = np.random.default_rng(seed)
        rows = numbered(documents)
        size = int(rows.max()) + 1
        for _ in range(count):
            times = np.bincount(rng.integers(size, size=size), minlength=size)
            weights = times[rows].astype(np.float64)
            chooser = Chooser(evaluator, rows, weights, limits)
            self.drawn.append(Bag(weights, ensembles(chooser, comparable, soup)))

    @cached_property
    def chosen(self) -> Doubles:
        """Share of the bags whose greedy ensemble has the contender, ``[C]``."""
        times = np.zeros(len(self._evaluator.contenders))
        for bag in self.drawn:
            times[sorted(set(bag.seats["greedy"]))] += 1
        return times / len(self.drawn)

    def steady(self) -> list[int]:
        """Contenders that at least half of the bags chose, or the one that most of them chose."""
        return np.flatnonzero(self.chosen >= 0.5).tolist() or [int(self.chosen.argmax())]

    def mean(self, kind: EnsembleKind) -> float | None:
        """Out-of-bag score, ``None`` where no question was ever left out."""
        scores = self._mean([(bag, bag.seats[kind], ()) for bag in self.drawn])
        return float(np.nanmean(scores)) if np.isfinite(scores).any() else None

    def gain(self, kind: EnsembleKind, other: EnsembleKind) -> Comparison | None:
        """Out-of-bag gain of one kind on another, ``None`` where no question was left out."""
        return self._paired(self._cases(kind, other))

    def difference(self, kind: EnsembleKind, other: EnsembleKind) -> Difference | None:
        """The same gain with the error that few documents do not make too small."""
        gains, documents = self._seen(self._cases(kind, other))
        return difference(gains, documents) if documents else None

    def gain_of(self, contender: int, kind: EnsembleKind) -> Comparison | None:
        """Out-of-bag gain of the bags' ensembles that have a contender on themselves without it.

        Returns:
            ``None`` where no bag's ensemble has it beside others, or no question was left out.
        """
        cases = [
            (bag, seats, tuple(i for i in seats if i != contender))
            for bag in self.drawn
            if contender in (seats := bag.seats[kind]) and len(set(seats)) > 1
        ]
        return self._paired(cases)

    def _paired(self, cases: Sequence[tuple[Bag, Seats, Seats]]) -> Comparison | None:
        gains, documents = self._seen(cases)
        return paired(gains, np.zeros(len(gains)), documents) if documents else None

    def _cases(self, kind: EnsembleKind, other: EnsembleKind) -> list[tuple[Bag, Seats, Seats]]:
        return [(bag, bag.seats[kind], bag.seats[other]) for bag in self.drawn]

    def _seen(self, cases: Sequence[tuple[Bag, Seats, Seats]]) -> tuple[Doubles, list[str]]:
        """Mean gains of the questions that were ever left out, and their documents."""
        gains = self._mean(cases)
        seen = np.flatnonzero(np.isfinite(gains)).tolist()
        return gains[seen], [self.documents[i] for i in seen]

    def _mean(self, cases: Sequence[tuple[Bag, Seats, Seats]]) -> Doubles:
        """Mean over bags of out-of-bag scores, less those of a second ensemble, if any.

        Returns:
            One value per question ``[Q]``, not a number where no bag left it out.
        """
        total, times = np.zeros(len(self.documents)), np.zeros(len(self.documents))
        for bag, first, second in cases:
            values = self._evaluator.scores(first, bag.weights)
            if second:
                values = values - self._evaluator.scores(second, bag.weights)
            total += np.where(bag.outside, values, 0.0)
            times += bag.outside
        means = np.full(len(total), np.nan)
        np.divide(total, times, out=means, where=times > 0)
        return means


def numbered(documents: Sequence[str]) -> Indices:
    """Documents as whole numbers from 0, ``[Q]``."""
    return np.unique(np.array(documents, dtype=str), return_inverse=True)[1]


def ensembles(
    chooser: Chooser,
    comparable: Sequence[int],
    soup: int | None = None,
    pool: Sequence[int] | None = None,
) -> dict[EnsembleKind, Seats]:
    """One ensemble of each kind; the greedy one of contenders in the pool, if given."""
    made: dict[EnsembleKind, Seats] = {
        "single": chooser.single(),
        "best-per-group": chooser.best_per_group(),
        "top-k": chooser.top(),
        **({} if soup is None else {"soup": (soup,)}),
        "comparable": chooser.comparable(comparable),
        "all-equal": chooser.all_equal(),
        "greedy": chooser.greedy(pool),
    }
    assert tuple(made) == tuple(kind for kind in WITH_COMPARABLE if kind in made)
    return made
