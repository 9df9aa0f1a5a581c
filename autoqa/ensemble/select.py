"""Chooses a small ensemble from stored public predictions, and says why.

Four ensembles are compared, the simplest first: the best single candidate, the best of each group,
all candidates with equal weight, and the greedy selection. Each is put together again on twenty
bags (documents drawn with replacement) and scored on the documents that the bag left out, so that
no question is scored by an ensemble that it helped to choose. Rule ``interval`` takes a more
complicated ensemble only where the 95 % interval of its out-of-bag gain excludes zero; rule
``mean`` takes the highest out-of-bag mean among those that are no worse than the best single
candidate on the whole public part. Members of the greedy ensemble are chosen on the whole public
part among the candidates that at least half of the bags chose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.ensemble.aggregate import Member, aggregate
from autoqa.ensemble.bagging import Bags, draw_bags, ensembles, numbered
from autoqa.ensemble.evaluator import Contender, Evaluator, State
from autoqa.ensemble.greedy import Chooser, Limits
from autoqa.ensemble.selection import KINDS, Alternative, Kind, Rule, Seat, Selection
from autoqa.errors import DataError, NothingFeasibleError
from autoqa.leaderboard.bootstrap import interval
from autoqa.text.metrics import score
from autoqa.text.slots import WindowsLike
from autoqa.types import Example

__all__ = ["Contender", "select"]


def select(
    candidates: Sequence[Contender],
    windows: Mapping[str, WindowsLike],
    examples: Sequence[Example],
    *,
    seats: int = 5,
    recipe_cap: int = 3,
    rule: Rule = "interval",
    bags: int = 20,
    seed: int = 0,
    max_answer_tokens: int = 48,
) -> Selection:
    """Chooses an ensemble; no model is run, and only public predictions are read.

    Args:
        candidates: What may be chosen, with stored public logits.
        windows: Windows of the public part by group.
        examples: The public part.
        seats: Most members, counted with repetition.
        recipe_cap: Most seats of candidates with one recipe, counted with repetition.
        rule: How the comparison is decided, see above.
        bags: Draws of documents.
        seed: Decides the draws; all else is deterministic.
        max_answer_tokens: Most tokens in an answer.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: There is no example, or a candidate's logits cannot be used.
        ValueError: An argument makes no sense.
    """
    _check(candidates, windows, examples)
    for name, value in (("seats", seats), ("recipe_cap", recipe_cap), ("bags", bags)):
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be 1 or more")
    task = _Task(
        evaluator=Evaluator(candidates, windows, examples, max_answer_tokens),
        windows=windows,
        examples=examples,
        limits=Limits(seats, recipe_cap),
        max_answer_tokens=max_answer_tokens,
    )
    return _select(task, rule, bags, seed)


@dataclass(frozen=True, slots=True)
class _Task:
    evaluator: Evaluator
    windows: Mapping[str, WindowsLike]
    examples: Sequence[Example]
    limits: Limits
    max_answer_tokens: int

    def best(self, state: State) -> str:
        """Key of the ensemble's best group on the whole public part."""
        everything = np.ones(len(self.examples))
        return self.evaluator.groups[self.evaluator.leader(state, everything)]


def _select(task: _Task, rule: Rule, count: int, seed: int) -> Selection:
    names = [example.document for example in task.examples]
    bags = draw_bags(task.evaluator, names, task.limits, count, seed)
    chooser = Chooser(task.evaluator, numbered(names), np.ones(len(names)), task.limits)
    states = ensembles(chooser, bags.steady())
    alternatives = tuple(_alternative(task, kind, states[kind], bags) for kind in KINDS)
    by_rule: dict[Rule, Kind] = {
        "interval": _by_interval(alternatives, bags),
        "mean": _by_mean(alternatives),
    }
    winner = next(other for other in alternatives if other.kind == by_rule[rule])
    return Selection(
        members=_seats(task, states[winner.kind], winner, chooser, bags),
        best=winner.best,
        chosen=winner.kind,
        public=winner.public,
        rule=rule,
        by_rule=by_rule,
        alternatives=alternatives,
        verdict=_verdict(winner, alternatives, rule),
        considered=tuple(candidate.id for candidate in task.evaluator.contenders),
        seats=task.limits.seats,
        recipe_cap=task.limits.recipe_cap,
        seed=seed,
    )


def _check(
    candidates: Sequence[Contender],
    windows: Mapping[str, WindowsLike],
    examples: Sequence[Example],
) -> None:
    if not candidates:
        raise NothingFeasibleError("there is no candidate to select from: search first")
    if not examples:
        raise DataError("the public part has no question to select on: hold out more documents")
    names = [candidate.id for candidate in candidates]
    if len(set(names)) < len(names):
        raise ValueError(f"candidate ids {names} are not unique")
    missing = sorted({candidate.group for candidate in candidates} - set(windows))
    if missing:
        raise ValueError(
            f"windows of the groups {missing} are missing; given are {sorted(windows)}"
        )


def _alternative(task: _Task, kind: Kind, state: State, bags: Bags) -> Alternative:
    contenders = task.evaluator.contenders
    seated = [(contenders[i], count) for i, count in enumerate(state) if count]
    best = task.best(state)
    answers = aggregate(
        [Member(contender.id, contender.group, count) for contender, count in seated],
        {contender.id: contender.logits for contender, _ in seated},
        task.windows,
        [example.context for example in task.examples],
        best=best,
        max_answer_tokens=task.max_answer_tokens,
    )
    jaccard = score([span.text for span in answers], task.examples).jaccard
    return Alternative(
        kind=kind,
        members=tuple((contender.id, count) for contender, count in seated),
        best=best,
        public=interval(jaccard, bags.documents),
        out_of_bag=bags.mean(kind),
        gain=None if kind == "single" else bags.gain(kind, "single"),
        allowed=task.limits.allow(task.evaluator, state),
    )


def _by_interval(alternatives: Sequence[Alternative], bags: Bags) -> Kind:
    """The simpler wins unless the interval of the gain on it excludes zero."""
    winner = alternatives[0].kind
    for other in alternatives[1:]:
        gain = bags.gain(other.kind, winner)
        if other.allowed and gain is not None and gain.low > 0:
            winner = other.kind
    return winner


def _by_mean(alternatives: Sequence[Alternative]) -> Kind:
    """The highest out-of-bag mean; the simpler of equals."""
    single = alternatives[0]
    winner, height = single, single.out_of_bag
    for other in alternatives[1:]:
        if other.out_of_bag is None or height is None or not other.allowed:
            continue
        if other.out_of_bag > height + 1e-12 and other.public.mean >= single.public.mean:
            winner, height = other, other.out_of_bag
    return winner.kind


def _seats(
    task: _Task, state: State, winner: Alternative, chooser: Chooser, bags: Bags
) -> tuple[Seat, ...]:
    """The members with their reasons, those of the best group first."""
    whole = chooser.mean(state)
    seats = []
    for i, count in enumerate(state):
        if not count:
            continue
        contender = task.evaluator.contenders[i]
        alone = chooser.mean(task.evaluator.single(i))
        reason = f"alone {alone:.3f} on the public part"
        if len(winner.members) > 1:
            rest = chooser.mean(tuple(0 if j == i else n for j, n in enumerate(state)))
            reason += f"; the ensemble has {whole:.3f} with it, {rest:.3f} without"
        if winner.kind == "greedy":
            reason += f"; chosen in {round(bags.chosen[i] * bags.count)} of {bags.count} bags"
        seats.append(Seat(contender.id, contender.group, float(count), reason + "."))
    return tuple(sorted(seats, key=lambda seat: (seat.group != winner.best, -seat.weight, seat.id)))


_WORDS: dict[Kind, str] = {
    "single": "the best single candidate",
    "best-per-group": "the best candidate of each group",
    "all-equal": "all candidates with equal weight",
    "greedy": "the greedy selection",
}


def _verdict(winner: Alternative, alternatives: Sequence[Alternative], rule: Rule) -> str:
    rivals = [other for other in alternatives if other.gain is not None and other.allowed]
    if winner.gain is not None:
        why = f"Out of bag {_WORDS[winner.kind]} gains {_gain(winner)} on the best single candidate"
    elif rivals:
        rival = max(rivals, key=lambda other: other.gain.gain if other.gain else 0.0)
        why = (
            f"The best single candidate stays: out of bag the most that a larger ensemble gains is "
            f"{_gain(rival)}, by {_WORDS[rival.kind]}"
        )
    else:
        return "The best single candidate stays: there is nothing to compare it with."
    return f"{why}; rule {rule!r}."


def _gain(other: Alternative) -> str:
    gain = other.gain
    return f"{gain.gain:+.3f} (95 % {gain.low:+.3f} to {gain.high:+.3f})" if gain else "nothing"
