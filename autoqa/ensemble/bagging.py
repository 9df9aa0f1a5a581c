"""How the ensembles score on questions that had no say in choosing their members."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.ensemble.evaluator import Evaluator, State
from autoqa.ensemble.greedy import Chooser, Limits
from autoqa.ensemble.selection import KINDS, Kind
from autoqa.leaderboard.bootstrap import Comparison, paired
from autoqa.text.slots import Doubles, Indices


@dataclass(frozen=True, slots=True)
class Bags:
    """What the bags say.

    Attributes:
        count: How many there are.
        documents: Document of each question, Q long.
        scores: Mean out-of-bag Jaccard of each question ``[Q]`` per kind; not a number where no
            bag left the question out.
        chosen: Share of the bags whose greedy ensemble has the contender, ``[C]``.
    """

    count: int
    documents: Sequence[str]
    scores: dict[Kind, Doubles]
    chosen: Doubles

    def mean(self, kind: Kind) -> float | None:
        """Out-of-bag Jaccard, ``None`` where no question was ever left out."""
        seen = ~np.isnan(self.scores[kind])
        return float(self.scores[kind][seen].mean()) if seen.any() else None

    def gain(self, kind: Kind, other: Kind) -> Comparison | None:
        """Out-of-bag gain of one kind on another, ``None`` where no question was left out."""
        seen = np.flatnonzero(~np.isnan(self.scores[kind])).tolist()
        if not seen:
            return None
        documents = [self.documents[i] for i in seen]
        return paired(self.scores[kind][seen], self.scores[other][seen], documents)

    def steady(self) -> list[int]:
        """Contenders that at least half of the bags chose, or the one that most of them chose."""
        return np.flatnonzero(self.chosen >= 0.5).tolist() or [int(self.chosen.argmax())]


def numbered(documents: Sequence[str]) -> Indices:
    """Documents as whole numbers from 0, ``[Q]``."""
    return np.unique(np.array(documents, dtype=str), return_inverse=True)[1]


def ensembles(chooser: Chooser, pool: Sequence[int] | None = None) -> dict[Kind, State]:
    """One ensemble of each kind; the greedy one of contenders in the pool, if given."""
    return {
        "single": chooser.single(),
        "best-per-group": chooser.best_per_group(),
        "all-equal": chooser.all_equal(),
        "greedy": chooser.greedy(pool),
    }


def draw_bags(
    evaluator: Evaluator, documents: Sequence[str], limits: Limits, count: int, seed: int
) -> Bags:
    """Draws documents with replacement, chooses on them, and scores on those left out."""
    rng = np.random.default_rng(seed)
    rows = numbered(documents)
    size, questions = int(rows.max()) + 1, len(rows)
    sums: dict[Kind, Doubles] = {kind: np.zeros(questions) for kind in KINDS}
    left_out, chosen = np.zeros(questions), np.zeros(len(evaluator.contenders))
    for _ in range(count):
        times = np.bincount(rng.integers(size, size=size), minlength=size)
        weights = times[rows].astype(np.float64)
        outside = weights == 0
        states = ensembles(Chooser(evaluator, rows, weights, limits))
        for kind, state in states.items():
            sums[kind][outside] += evaluator.scores(state, weights)[outside]
        left_out += outside
        chosen += np.array(states["greedy"]) > 0
    times_out = np.where(left_out > 0, left_out, np.nan)
    scores = {kind: total / times_out for kind, total in sums.items()}
    return Bags(count, documents, scores, chosen / count)
