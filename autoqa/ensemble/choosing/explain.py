"""Why each member is in, what its removal would cost, and how much members differ."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoqa.ensemble.choosing.bagging import Bags
from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.selection import EnsembleKind
from autoqa.ensemble.evaluation.evaluator import Evaluator, Seats
from autoqa.scores.bootstrap import Comparison, paired


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What speaks for one member.

    Attributes:
        id: The candidate's id.
        group: Its group.
        seats: How many it has.
        alone: Its own public score, 0 to 1.
        first_seat: Public gain of the ensemble when it took its first seat; ``None`` for the
            member that all began with. Groups that were seated for the vote may gain nothing
            until there are three.
        bags: Share of the bags whose greedy ensemble has it, 0 to 1.
        kept: Public gain of the ensemble on itself without the member, paired by document;
            ``None`` for a sole member.
        kept_out_of_bag: The same for the ensembles that the bags chose, on documents that had no
            say; ``None`` where no bag's ensemble has the member beside others.
    """

    id: str
    group: str
    seats: int
    alone: float
    first_seat: float | None
    bags: float
    kept: Comparison | None
    kept_out_of_bag: Comparison | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Grounds for the members of the picks and of the greedy ensemble.

    Attributes:
        picks: Members of each kind of ensemble, in the order in which they were seated.
        ids: Members of all of them.
        disagreement: Mean word-level 1 - Jaccard between the answers of each two of ``ids``.
    """

    picks: dict[EnsembleKind, tuple[Grounds, ...]]
    ids: tuple[str, ...]
    disagreement: tuple[tuple[float, ...], ...]


def explain(
    evaluator: Evaluator, chooser: Chooser, bags: Bags, picks: Mapping[EnsembleKind, Seats]
) -> Explanation:
    """Explains ensembles that were chosen on the whole public part.

    Args:
        evaluator: Scores ensembles.
        chooser: Weighs the questions of the whole public part.
        bags: Draws of documents with the ensembles chosen on each.
        picks: The ensembles.
    """
    members = list(dict.fromkeys(i for seats in picks.values() for i in seats))
    return Explanation(
        picks={
            kind: tuple(
                _grounds(evaluator, chooser, bags, i, kind, seats) for i in dict.fromkeys(seats)
            )
            for kind, seats in picks.items()
        },
        ids=tuple(evaluator.contenders[i].id for i in members),
        disagreement=tuple(tuple(evaluator.disagreements(i)[members].tolist()) for i in members),
    )


def reason(chooser: Chooser, bags: Bags | None, contender: int, seats: Seats) -> str:
    """A member's scores and how often bags chose it, in a sentence for the bundle."""
    text = f"alone {chooser.mean((contender,)):.3f} on the public part"
    if rest := _without(seats, contender):
        whole, without = chooser.mean(seats), chooser.mean(rest)
        text += f"; the ensemble has {whole:.3f} with it, {without:.3f} without"
    if bags is not None:
        count = len(bags.drawn)
        text += f"; chosen in {round(bags.chosen[contender] * count)} of {count} bags"
    return text + "."


def _grounds(
    evaluator: Evaluator,
    chooser: Chooser,
    bags: Bags,
    contender: int,
    kind: EnsembleKind,
    seats: Seats,
) -> Grounds:
    candidate, first = evaluator.contenders[contender], seats.index(contender)
    rest = _without(seats, contender)
    gain = chooser.mean(seats[: first + 1]) - chooser.mean(seats[:first]) if first else None
    return Grounds(
        id=candidate.id,
        group=candidate.group,
        seats=seats.count(contender),
        alone=chooser.mean((contender,)),
        first_seat=gain,
        bags=float(bags.chosen[contender]),
        kept=_gain_over_rest(chooser, bags, seats, rest) if rest else None,
        kept_out_of_bag=bags.gain_of(contender, kind),
    )


def _gain_over_rest(chooser: Chooser, bags: Bags, seats: Seats, rest: Seats) -> Comparison:
    return paired(chooser.scores(seats), chooser.scores(rest), bags.documents)


def _without(seats: Seats, contender: int) -> Seats:
    return tuple(i for i in seats if i != contender)
