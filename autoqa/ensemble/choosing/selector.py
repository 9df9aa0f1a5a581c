"""Chooses a small ensemble from stored public predictions, and says why.

Five ensembles are compared, the simplest first: the best single candidate, the best of each group,
the candidates that are best alone, all candidates with equal weight, and the greedy selection. Each
is put together again on twenty bags (documents drawn with replacement) and scored on the documents
that the bag left out, so that no question is scored by an ensemble that it helped to choose. The
greedy ensemble's members are chosen on the whole public part among the candidates that at least
half of the bags chose.

Rule ``shrinkage`` compares two more: the equal mean of the trained candidates that are comparable
with the best, as many as the limits allow; and the widest average of weights, if there is one.

Two of them are picked. The *safe* pick is the rule's: rule ``interval`` takes a more complicated
ensemble only where the 95 % interval of its out-of-bag gain on the simpler one excludes zero; rule
``mean`` takes the highest out-of-bag mean among those that are no worse than the best single
candidate on the whole public part; rule ``shrinkage`` takes the highest expected score, prior and
documents together, less a price (:mod:`autoqa.ensemble.choosing.shrinkage`). It is safe because
what speaks for it was seen on documents that had no say. The *best* pick has the highest public
score, which its own members were chosen for; it is the better bet where the public part is like the
questions to come and too small to prove anything.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autoqa.arrays import Doubles
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.choosing.bagging import Bags, ensembles, numbered
from autoqa.ensemble.choosing.decision_rules import by_interval, by_mean, by_shrinkage, verdict
from autoqa.ensemble.choosing.explain import Explanation, explain, reason
from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.limits import EnsembleLimits, check_field, cost
from autoqa.ensemble.choosing.none_choice import with_none
from autoqa.ensemble.choosing.selection import (
    ENSEMBLE_KINDS,
    WITH_COMPARABLE,
    Alternative,
    DecisionRule,
    EnsembleKind,
    Pick,
    Seat,
    Selection,
)
from autoqa.ensemble.choosing.shrinkage import CLEARLY, MARGIN, Pool, Posterior, price
from autoqa.ensemble.choosing.soups import found_soups, widest
from autoqa.ensemble.evaluation.evaluator import Contender, Seats
from autoqa.ensemble.evaluation.joined_evaluator import make_evaluator
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.errors import NothingFeasibleError
from autoqa.scores.bootstrap import interval
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric
from autoqa.types import DEFAULT_METRIC, Aggregator, Example, VoteBy

__all__ = ["Contender", "EnsembleLimits", "Selector"]


class Selector:
    """Compares ensembles; no model is run, and only public predictions are read.

    Args:
        candidates: What may be chosen, with stored public logits.
        windows: Windows of the public part by group.
        examples: The public part.
        limits: What an ensemble may be.
        bags: Draws of documents.
        seed: Decides the draws; all else is deterministic.
        aggregator: How members are joined, see :mod:`autoqa.ensemble.joining.aggregate`.
        words: What is voted on.
        metric: What is raised.

    Raises:
        NothingFeasibleError: There is no candidate, none within the budget, or no group that can
            fill its quota.
        DataError: There is no example, or a candidate's logits cannot be used.
        ValueError: An argument makes no sense.
    """

    def __init__(
        self,
        candidates: Sequence[Contender],
        windows: Mapping[str, WindowsLike],
        examples: Sequence[Example],
        limits: EnsembleLimits | None = None,
        *,
        bags: int = 20,
        seed: int = 0,
        aggregator: Aggregator = "vote",
        words: VoteBy = "set",
        metric: str = DEFAULT_METRIC,
    ) -> None:
        check_field(candidates, windows, examples, bags)
        self._considered = tuple(candidate.id for candidate in candidates)
        self._limits = limits or EnsembleLimits()
        self._windows, self._examples = windows, examples
        self._seed = seed
        self._contenders = self._limits.affordable(candidates)
        self._aggregator, self._words, self._metric = aggregator, words, metric
        self._evaluator = make_evaluator(
            self._contenders, windows, examples, aggregator, words, metric
        )
        self._documents = [example.document for example in examples]
        self._everything = np.ones(len(examples))
        self._chooser = Chooser(
            self._evaluator, numbered(self._documents), self._everything, self._limits
        )
        self._notes = self._left_out()
        soups = found_soups(self._contenders)
        self._pool = Pool(self._evaluator.alone, self._documents, soups)
        comparable = self._pool.comparable
        soup = widest(self._pool.soups, self._evaluator, self._pool.best)
        self._bags = Bags(
            self._evaluator, self._documents, self._limits, bags, seed, comparable, soup
        )
        self._seats = ensembles(self._chooser, comparable, soup, self._bags.steady())

    def select(self, rule: DecisionRule = "shrinkage") -> Selection:
        """The two picks, and all that they were compared with.

        Args:
            rule: Decides the safe pick, see above.
        """
        alternatives = tuple(map(self._alternative, ENSEMBLE_KINDS))
        rules: dict[DecisionRule, EnsembleKind] = {
            "interval": by_interval(alternatives, self._bags),
            "mean": by_mean(alternatives),
        }
        notes = self._notes
        if rule == "shrinkage":
            alternatives = self._with_posteriors(alternatives)
            rules[rule] = by_shrinkage(alternatives)
            notes = (*notes, *self._not_in_the_mean())
        kinds = {other.kind: other for other in alternatives}
        safe, allowed = kinds[rules[rule]], [other for other in alternatives if other.allowed]
        best = self._pick(max(allowed, key=lambda other: other.public.mean))
        chosen = self._pick(safe)
        return Selection(
            members=chosen.members,
            tie_group=chosen.tie_group,
            chosen=chosen.chosen,
            public=chosen.public,
            best_public=best,
            rule=rule,
            by_rule=rules,
            alternatives=alternatives,
            verdict=verdict(safe, alternatives, rule),
            notes=notes,
            considered=self._considered,
            seats=self._limits.seats,
            recipe_cap=self._limits.recipe_cap,
            quota=self._limits.quota,
            seconds=self._limits.seconds,
            seed=self._seed,
            metric=self._metric,
        )

    def explain(self, selection: Selection) -> Explanation:
        """Why each member of both picks is in, and of the greedy ensemble, picked or not."""
        kinds = dict.fromkeys((selection.chosen, selection.best_public.chosen, ENSEMBLE_KINDS[-1]))
        return explain(
            self._evaluator, self._chooser, self._bags, {kind: self._seats[kind] for kind in kinds}
        )

    def _left_out(self) -> tuple[str, ...]:
        """Sentences on who cannot be seated.

        Raises:
            NothingFeasibleError: No group can fill its quota.
        """
        starts = self._chooser.starts(self._chooser.ranking)
        groups = self._evaluator.groups
        short = [group for number, group in enumerate(groups) if number not in starts]
        what = f"{self._limits.quota} seats with recipe_cap = {self._limits.recipe_cap}" + (
            "" if self._limits.seconds is None else f" and seconds = {self._limits.seconds:g}"
        )
        if not starts:
            raise NothingFeasibleError(
                f"selection.quota is {self._limits.quota}, but no group can fill {what}: lower "
                "the quota or raise the other limits"
            )
        notes = [f"Group {group} gets no seat: it cannot fill {what}." for group in short]
        dear = len(self._considered) - len(self._contenders)
        if dear:
            notes.append(
                f"Candidates that alone take more than {self._limits.seconds:g} seconds for 1,000 "
                f"questions and were left out: {dear}."
            )
        return tuple(notes)

    def _with_posteriors(self, alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
        """The same and the mean of comparable candidates, all with what the prior makes of them."""
        known = {other.kind: other for other in alternatives}
        kinds = [kind for kind in WITH_COMPARABLE if kind in self._seats]
        known |= {kind: self._alternative(kind) for kind in kinds if kind not in known}
        return tuple(replace(known[kind], posterior=self._posterior(known[kind])) for kind in kinds)

    def _posterior(self, other: Alternative) -> Posterior:
        seated = self._chooser.parts(self._seats[other.kind])
        parts = self._pool.unmixed(seated)
        reference = self._chooser.parts(self._seats["comparable"])
        average = float(np.mean([contender.seconds for contender in self._contenders]))
        return self._pool.posterior(
            parts - reference,
            self._ambiguity(parts) - self._ambiguity(reference),
            self._bags.difference(other.kind, "comparable"),
            price(len(other.members), other.seconds, average),
            self._pool.souped(seated),
        )

    def _ambiguity(self, parts: Doubles) -> float:
        """Mean disagreement of two members drawn with replacement."""
        members = np.flatnonzero(parts).tolist()
        return math.fsum(parts[i] * (self._evaluator.disagreements(i) @ parts) for i in members)

    def _not_in_the_mean(self) -> tuple[str, ...]:
        """Sentences on who is not in the mean of comparable candidates."""
        comparable, seats = self._pool.comparable, self._seats["comparable"]
        worse = [self._contenders[i].id for i in self._pool.trained if i not in comparable]
        notes = []
        if worse:
            notes.append(
                f"Not comparable with the best candidate, because with {CLEARLY:.0%} probability "
                f"more than {MARGIN:g} below it: {', '.join(worse)}."
            )
        groups = self._evaluator.seated_groups(seats)
        able = [i for i in comparable if self._evaluator.group_of[i] in groups]
        if len(seats) < len(able):
            notes.append(
                f"Comparable candidates: {len(able)}, of which the limits of the selection allow "
                f"{len(seats)} in their equal mean."
            )
        return tuple(notes)

    def _alternative(self, kind: EnsembleKind) -> Alternative:
        seats = self._seats[kind]
        members = sorted(Counter(seats).items())
        contenders = [(self._contenders[i], count) for i, count in members]
        voters = sorted(members, key=lambda seat: (self._evaluator.group_of[seat[0]], seat[0]))
        tie_group = self._evaluator.groups[self._evaluator.leader(seats, self._everything)]
        plan = EnsemblePlan(
            [
                Member(self._contenders[i].id, self._contenders[i].group, count)
                for i, count in voters
            ],
            tie_group,
            self._aggregator,
            self._words,
            segmentation=get_metric(self._metric).segmentation,
        )
        logits = {contender.id: contender.logits for contender, _ in contenders}
        answers = aggregate(
            plan,
            logits,
            self._windows,
            [example.context for example in self._examples],
        )
        answered = score_by(self._metric, [span.text for span in answers], self._examples)
        scores = with_none(plan, logits, self._windows, answered, self._examples)
        return Alternative(
            kind=kind,
            members=tuple((contender.id, count) for contender, count in contenders),
            tie_group=tie_group,
            public=interval(scores, self._documents),
            out_of_bag=self._bags.mean(kind),
            gain=None if kind == "single" else self._bags.gain(kind, "single"),
            seconds=cost(self._contenders, seats),
            allowed=self._limits.allow(self._contenders, seats),
        )

    def _pick(self, winner: Alternative) -> Pick:
        """The members with their reasons, those of the tie group first."""
        seats = self._seats[winner.kind]
        members = [self._seat(i, count, seats, winner.kind) for i, count in Counter(seats).items()]
        members.sort(key=lambda seat: (seat.group != winner.tie_group, -seat.weight, seat.id))
        return Pick(
            members=tuple(members),
            tie_group=winner.tie_group,
            chosen=winner.kind,
            public=winner.public,
        )

    def _seat(self, contender: int, count: int, seats: Seats, kind: EnsembleKind) -> Seat:
        candidate = self._contenders[contender]
        bags = self._bags if kind == "greedy" else None
        why = reason(self._chooser, bags, contender, seats)
        return Seat(candidate.id, candidate.group, float(count), why)
