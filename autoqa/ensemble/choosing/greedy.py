"""Greedy forward selection with replacement, and the simple ensembles it has to beat.

After Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004): sorted
initialisation, selection with replacement, and (in
:mod:`autoqa.ensemble.choosing.bagging`) bagging.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.evaluation.evaluator import SAME, Evaluator, Seats, mean


class Chooser:
    """Chooses ensembles for one weighting of the questions: the whole public part, or a bag.

    Args:
        evaluator: Scores ensembles.
        documents: Number of each question's document, ``[Q]``.
        weights: How often each question's document was drawn, ``[Q]``.
        limits: What an ensemble may be.

    Attributes:
        ranking: All contenders, best alone first; of equals the cheapest, then the first.
    """

    def __init__(
        self, evaluator: Evaluator, documents: Indices, weights: Doubles, limits: EnsembleLimits
    ) -> None:
        self._evaluator = evaluator
        self._documents = documents
        self._weights = weights
        self._limits = limits
        alone = np.round(mean(evaluator.alone, weights) / SAME) * SAME
        cost = np.array([contender.seconds for contender in evaluator.contenders])
        self.ranking: list[int] = np.lexsort((cost, -alone)).tolist()

    def scores(self, seats: Seats) -> Doubles:
        """Score of each question, float64 ``[Q]``."""
        return self._evaluator.scores(seats, self._weights)

    def mean(self, seats: Seats) -> float:
        """Weighted mean score of an ensemble."""
        return self._evaluator.mean(seats, self._weights)

    def single(self) -> Seats:
        """The contender that is best alone."""
        return (self.ranking[0],)

    def best_per_group(self) -> Seats:
        """The best of each group, as many groups as the limits allow, the best groups first."""
        return self._first(range(len(self._evaluator.groups)), self.ranking, quota=1)

    def top(self) -> Seats:
        """The contenders that are best alone, as many as the limits allow."""
        return self._equal(self.ranking)

    def all_equal(self) -> Seats:
        """All contenders with equal weight."""
        return tuple(self.ranking)

    def comparable(self, pool: Iterable[int]) -> Seats:
        """Contenders of a pool with equal weight, as many as the limits allow.

        The best of each recipe come before any second one, because snapshots of one run err alike.
        Of two groups only the better gets seats where groups vote: two always vote as the better
        one alone.

        Args:
            pool: Contenders that are good enough; at least one.
        """
        wanted, times = set(pool), Counter[str]()
        turns: list[tuple[int, int]] = []
        for contender in (i for i in self.ranking if i in wanted):
            recipe = self._evaluator.contenders[contender].recipe
            turns.append((times[recipe], contender))
            times[recipe] += 1
        ordered = [contender for _, contender in sorted(turns, key=lambda turn: turn[0])]
        seats = self._equal(ordered)
        if self._evaluator.groups_vote and len(self._evaluator.seated_groups(seats)) == 2:
            leader = self._evaluator.leader(seats, self._weights)
            seats = self._equal([i for i in ordered if self._evaluator.group_of[i] == leader])
        return seats

    def parts(self, seats: Seats) -> Doubles:
        """Each contender's part in the answers, ``[C]``.

        Where groups vote they count alike, and so do seats of one; of two groups only the better
        one is heard. Else all seats count alike.
        """
        if not self._evaluator.groups_vote:
            return np.bincount(seats, minlength=len(self.ranking)) / len(seats)
        groups = self._evaluator.seated_groups(seats)
        if len(groups) == 2:
            groups = [self._evaluator.leader(seats, self._weights)]
        parts = np.zeros(len(self.ranking))
        for group in groups:
            of_group = [i for i in seats if self._evaluator.group_of[i] == group]
            np.add.at(parts, of_group, 1 / (len(groups) * len(of_group)))
        return parts

    def greedy(self, pool: Iterable[int] | None = None) -> Seats:
        """Greedy forward selection with replacement.

        It starts from the best of each admitted group. The best blend of every single group is
        tried too, and taken only if it ends more than one standard error higher: without that
        evidence every group keeps its seats, because groups differ most in their mistakes.

        Args:
            pool: Contenders that may be seated; left out, or where they cannot fill the quota of
                any group, all.

        Returns:
            The seats in the order in which they were taken; the best single contender where no
            group can fill its quota.
        """
        allowed = set(self.ranking if pool is None else pool)
        ranked = [i for i in self.ranking if i in allowed]
        starts = self.starts(ranked)
        if not starts:
            return self.single() if pool is None else self.greedy()
        admitted = self._admitted(starts, ranked)
        joint = self._grown(self._first(admitted, ranked, self._limits.quota), ranked)
        if list(starts) == admitted:  # one group, and that climb was its own
            return joint
        alone = max((self._grown(start, ranked) for start in starts.values()), key=self.mean)
        return alone if self._beats(alone, joint) else joint

    def starts(self, ranked: Sequence[int]) -> dict[int, Seats]:
        """First seats of each group that can fill its quota within the limits.

        Args:
            ranked: Contenders that may be seated, best alone first.
        """
        groups = dict.fromkeys(self._evaluator.group_of[i] for i in ranked)
        starts = {group: self._first([group], ranked, self._limits.quota) for group in groups}
        return {group: seats for group, seats in starts.items() if seats}

    def climb(self, seats: Seats, pool: Sequence[int]) -> Seats:
        """Takes the best further seat until all are taken.

        Args:
            seats: Where to begin.
            pool: Contenders that may take seats.

        Returns:
            The shortest of the best ensembles on the way.
        """
        best, height, allowed = seats, self.mean(seats), set(pool)
        while True:
            room, new = self._room(seats), self._new(seats)
            options = [i for i in room if i in allowed and new[i]]
            if not options:
                return best
            means = self._evaluator.additions(seats, options, self._weights)
            top = float(means.max())
            tied = [options[i] for i in np.flatnonzero(means > top - SAME).tolist()]
            seats = (*seats, tied[0] if len(tied) == 1 else self._settle(seats, tied))
            if top > height + SAME:
                best, height = seats, top

    def _equal(self, ordered: Iterable[int]) -> Seats:
        """One seat each, the first first, as many as the limits allow."""
        seats: Seats = ()
        room = self._room(seats)
        for contender in ordered:
            if contender in room:
                seats = (*seats, contender)
                room = self._room(seats)
        return seats

    def _grown(self, seats: Seats, ranked: Sequence[int]) -> Seats:
        """Climbs with contenders of the groups that have a seat."""
        groups = self._evaluator.seated_groups(seats)
        return self.climb(seats, [i for i in ranked if self._evaluator.group_of[i] in groups])

    def _room(self, seats: Seats) -> list[int]:
        return self._limits.room(self._evaluator.contenders, seats)

    def _new(self, seats: Seats) -> npt.NDArray[np.bool_]:
        """Which contenders are members, or answer otherwise than every member, bool ``[C]``."""
        new = np.ones(len(self.ranking), bool)
        for member in set(seats):
            new &= self._evaluator.disagreements(member) >= self._limits.alike
        new[list(seats)] = True
        return new

    def _first(self, groups: Iterable[int], ranked: Sequence[int], quota: int) -> Seats:
        """Sorted initialisation: each group's quota of its best, the best group first.

        A group that cannot fill its quota within what the limits leave gets no seat.
        """
        group_of, wanted = self._evaluator.group_of, set(groups)
        seats: Seats = ()
        for group in dict.fromkeys(group_of[i] for i in ranked if group_of[i] in wanted):
            seats = self._filled(seats, [i for i in ranked if group_of[i] == group], quota)
        return seats

    def _filled(self, seats: Seats, group_contenders: Sequence[int], quota: int) -> Seats:
        """Seats for the best of one group; where it has too few, they take further ones.

        The first of them gets its seat even if a member of another group answers like it, because
        without it the group has no vote.
        """
        larger = seats
        while True:
            before = larger
            for contender in group_contenders:
                new = larger == seats or self._new(larger)[contender]
                if new and contender in self._room(larger):
                    larger = (*larger, contender)
                    if len(larger) == len(seats) + quota:
                        return larger
            if larger == before:
                return seats

    def _admitted(self, groups: Iterable[int], ranked: Sequence[int]) -> list[int]:
        """Groups that get a seat of their own.

        A group is refused if the best of each group score more than one standard error higher
        without it, the most harmful group first. Of two groups that vote only the better is
        admitted: two always vote as the better one alone.
        """
        group_of, unheard = self._evaluator.group_of, 2 if self._evaluator.groups_vote else 1
        seats = self._first(groups, ranked, self._limits.quota)
        while len(seated := self._evaluator.seated_groups(seats)) > unheard:
            others = [group for group in seated if group != group_of[seats[0]]]
            fewer = [tuple(i for i in seats if group_of[i] != group) for group in others]
            harmful = [ensemble for ensemble in fewer if self._beats(ensemble, seats)]
            if not harmful:
                return seated
            seats = max(harmful, key=self.mean)
        return [group_of[seats[0]]]

    def _settle(self, seats: Seats, tied: Sequence[int]) -> int:
        """Of equally good seats the one that differs most from those taken, then the cheapest."""
        members = sorted(set(seats))
        away = np.mean([self._evaluator.disagreements(i)[list(tied)] for i in members], axis=0)
        costs = np.array([self._evaluator.contenders[i].seconds for i in tied])
        return tied[int(np.lexsort((costs, -away))[0])]

    def _beats(self, first: Seats, second: Seats) -> bool:
        """Whether the first is better by more than one standard error of the paired gain."""
        weights = self._weights
        gains = self.scores(first) - self.scores(second)
        gain = float(mean(gains, weights))
        by_document = np.bincount(self._documents, weights * (gains - gain))
        drawn = np.bincount(self._documents, weights)
        # A document drawn twice is two draws with half of the sum each.
        times = np.maximum(drawn / np.maximum(np.bincount(self._documents), 1), 1)
        error = float(np.sqrt((by_document**2 / times).sum())) / weights.sum()
        return bool(gain > max(error, SAME))
