"""From members' logits to the ensemble's answers, in one of three ways.

* ``vote``: within a group the logits are averaged, weighted by seats, and decoded; every group
  then has one vote on each word (first place of the chaii competition).
* ``vote-only``: nothing is averaged; every member decodes its own answer and has as many votes as
  seats.
* ``characters``: every member's probabilities are laid over the characters of the context and
  averaged over all members, weighted by seats (second and fifth place); see
  :mod:`autoqa.ensemble.joining.characters`.

Ties, and questions on which no word has a majority, fall to the tie group's voter, see
:func:`autoqa.ensemble.joining.vote.vote`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.arrays import LogitPair
from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.characters import GroupLogits, character_spans
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.ensemble.joining.vote import vote
from autoqa.types import Span


def aggregate(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    contexts: Sequence[str],
) -> list[Span]:
    """The ensemble's answer to every question, before post-processing.

    Args:
        plan: Members, and how they are joined.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        contexts: Context of each question.

    Returns:
        One span per context; the empty span where no answer was found.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    if plan.aggregator == "characters":
        probabilities = [
            GroupLogits(
                windows[group], [logits[m.id] for m in members], [m.weight for m in members]
            )
            for group, members in plan.groups.items()
        ]
        return character_spans(probabilities, contexts)
    voters = list_voters(plan, logits, windows, contexts)
    if len(voters) == 1:
        return voters[0].answers
    leader = leading_voter(plan, voters)
    seats = [voter.seats for voter in voters]
    ballots = zip(*(voter.answers for voter in voters), strict=True)
    return [
        vote(spans, context, leader, seats=seats, words=plan.words, segmentation=plan.segmentation)
        for spans, context in zip(ballots, contexts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Voter:
    """Whose answer is one of those that are voted on.

    Attributes:
        name: The group's key, or the member's id where every member votes.
        group: Its group.
        seats: Its votes.
        answers: Its answer to each question.
    """

    name: str
    group: str
    seats: float
    answers: list[Span]


def list_voters(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    contexts: Sequence[str],
) -> list[Voter]:
    """Who votes, and for what; for plans that vote.

    Args:
        plan: Members, and how they are joined.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        contexts: Context of each question.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    voters: list[Voter] = []
    for group, members in plan.groups.items():
        decoder = SpanDecoder(windows[group], contexts)
        voters += _voters(members, logits, decoder, plan)
    return voters


def leading_voter(plan: EnsemblePlan, voters: Sequence[Voter]) -> int:
    """Position of the voter whose answer stands where a vote decides nothing."""
    return max(
        (i for i, voter in enumerate(voters) if voter.group == plan.tie_group),
        key=lambda i: voters[i].seats,
    )


def _voters(
    members: Sequence[Member],
    logits: Mapping[str, LogitPair],
    decoder: SpanDecoder,
    plan: EnsemblePlan,
) -> list[Voter]:
    """Who votes for one group: the group itself, or each of its members."""
    group, weights = members[0].group, [member.weight for member in members]
    pairs, scoring = [logits[member.id] for member in members], plan.scoring.get(group)
    if plan.aggregator == "vote":
        return [Voter(group, group, 1.0, decoder.best(*blend(pairs, weights), scoring))]
    return [
        Voter(member.id, group, member.weight, decoder.best(*pair, scoring))
        for member, pair in zip(members, pairs, strict=True)
    ]
