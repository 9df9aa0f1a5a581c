"""Greedy forward selection with replacement, and the simple ensembles it has to beat.

After Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004): sorted
initialisation, selection with replacement, and (in :mod:`autoqa.ensemble.select`) bagging.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.ensemble.evaluator import Evaluator, State
from autoqa.text.slots import Doubles, Indices

_POOL = 24
"""Of each group only so many contenders, the best alone, are tried for a seat."""

_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Limits:
    """What an ensemble may be.

    Attributes:
        seats: Most members, counted with repetition.
        recipe_cap: Most seats of contenders with one recipe, counted with repetition.
    """

    seats: int
    recipe_cap: int

    def allow(self, evaluator: Evaluator, state: State) -> bool:
        """Whether an ensemble keeps to the limits."""
        taken: dict[str, int] = {}
        for contender, count in zip(evaluator.contenders, state, strict=True):
            taken[contender.recipe_hash] = taken.get(contender.recipe_hash, 0) + count
        return sum(state) <= self.seats and max(taken.values()) <= self.recipe_cap


class Chooser:
    """Chooses ensembles for one weighting of the questions: the whole public part, or a bag.

    Args:
        evaluator: Scores ensembles.
        documents: Number of each question's document, ``[Q]``.
        weights: How often each question's document was drawn, ``[Q]``.
        limits: What an ensemble may be.
    """

    def __init__(
        self, evaluator: Evaluator, documents: Indices, weights: Doubles, limits: Limits
    ) -> None:
        self._evaluator = evaluator
        self._documents = documents
        self._weights = weights
        self._limits = limits
        alone = [self.mean(evaluator.single(i)) for i in range(len(evaluator.contenders))]
        self._ranking = sorted(
            range(len(alone)), key=lambda i: (-alone[i], evaluator.contenders[i].seconds, i)
        )

    def mean(self, state: State) -> float:
        """Weighted mean Jaccard of an ensemble."""
        scores = self._evaluator.scores(state, self._weights)
        return float(self._weights @ scores / self._weights.sum())

    def single(self) -> State:
        """The contender that is best alone."""
        return self._evaluator.single(self._ranking[0])

    def best_per_group(self) -> State:
        """The best of each group, as many groups as there are seats, the best groups first."""
        return self._quota(range(len(self._evaluator.groups)))

    def all_equal(self) -> State:
        """Everybody."""
        return (1,) * len(self._evaluator.contenders)

    def greedy(self, pool: Iterable[int] | None = None) -> State:
        """Greedy forward selection with replacement.

        It starts from the best of each admitted group. The best blend of every single group is
        tried too, and taken only if it ends more than one standard error higher: without that
        evidence every group keeps its seat, because groups differ most in their mistakes.

        Args:
            pool: Contenders that may be seated; left out, all.
        """
        allowed = set(range(len(self._ranking))) if pool is None else set(pool)
        ranked = [i for i in self._ranking if i in allowed]
        groups = self._admitted(ranked)
        quota = self._climb(self._quota(groups, ranked), self._pool(ranked, groups))
        homes = dict.fromkeys(self._evaluator.group_of[i] for i in ranked)
        blends = [self._climb(self._quota([g], ranked), self._pool(ranked, [g])) for g in homes]
        alone = max(blends, key=self.mean)
        return alone if self._beats(alone, quota) else quota

    def _quota(self, groups: Iterable[int], ranked: Sequence[int] | None = None) -> State:
        """One seat for the best of each group, best contenders first, within the limits."""
        state = (0,) * len(self._ranking)
        waiting = set(groups)
        for contender in self._ranking if ranked is None else ranked:
            group = self._evaluator.group_of[contender]
            if group in waiting:
                larger = _seat(state, contender)
                if self._limits.allow(self._evaluator, larger):
                    state = larger
                    waiting.discard(group)
        return state

    def _admitted(self, ranked: Sequence[int]) -> list[int]:
        """Groups that get a seat of their own.

        A group is refused if the best of each group score more than one standard error higher
        without it, the most harmful group first. Of two groups only the better is admitted: two
        always vote as the better one alone.
        """
        group_of = self._evaluator.group_of
        state = self._quota(group_of, ranked)
        while len(groups := self._evaluator.seated_groups(state)) > 2:
            best = group_of[next(i for i in ranked if state[i])]
            smaller = [self._without(state, group) for group in groups if group != best]
            harmful = [other for other in smaller if self._beats(other, state)]
            if not harmful:
                return groups
            state = max(harmful, key=self.mean)
        return [group_of[next(i for i in ranked if state[i])]]

    def _without(self, state: State, group: int) -> State:
        return tuple(
            0 if self._evaluator.group_of[i] == group else count for i, count in enumerate(state)
        )

    def _pool(self, ranked: Sequence[int], groups: Sequence[int]) -> list[int]:
        by_group = dict.fromkeys(groups, 0)
        pool = []
        for contender in ranked:
            group = self._evaluator.group_of[contender]
            if group in by_group and by_group[group] < _POOL:
                by_group[group] += 1
                pool.append(contender)
        return pool

    def _climb(self, state: State, pool: Sequence[int]) -> State:
        """Adds the best seat until all are taken; the shortest of the best ensembles on the way."""
        best, height = state, self.mean(state)
        while True:
            options = [(contender, _seat(state, contender)) for contender in pool]
            options = [(c, s) for c, s in options if self._limits.allow(self._evaluator, s)]
            if not options:
                return best
            means = [self.mean(larger) for _, larger in options]
            top = max(means)
            tied = [o for o, mean in zip(options, means, strict=True) if mean > top - _SAME]
            state = tied[0][1] if len(tied) == 1 else self._settle(state, tied)
            if top > height + _SAME:
                best, height = state, top

    def _settle(self, state: State, tied: Sequence[tuple[int, State]]) -> State:
        """Of equally good seats the one that differs most from those taken, then the cheapest."""
        members = [i for i, count in enumerate(state) if count]

        def rank(option: tuple[int, State]) -> tuple[float, float, int]:
            contender = option[0]
            away = [self._evaluator.disagreement(contender, member) for member in members]
            return (-float(np.mean(away)), self._evaluator.contenders[contender].seconds, contender)

        return min(tied, key=rank)[1]

    def _beats(self, first: State, second: State) -> bool:
        """Whether the first is better by more than one standard error of the paired gain."""
        gains = self._evaluator.scores(first, self._weights) - self._evaluator.scores(
            second, self._weights
        )
        total = self._weights.sum()
        mean = float(self._weights @ gains / total)
        by_document = np.bincount(self._documents, self._weights * (gains - mean))
        drawn = np.bincount(self._documents, self._weights)
        # A document drawn twice is two draws with half of the sum each.
        times = np.maximum(drawn / np.maximum(np.bincount(self._documents), 1), 1)
        error = float(np.sqrt((by_document**2 / times).sum())) / total
        return bool(mean > max(error, _SAME))


def _seat(state: State, contender: int) -> State:
    return tuple(count + (i == contender) for i, count in enumerate(state))
