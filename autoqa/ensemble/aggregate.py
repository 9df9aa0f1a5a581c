"""From members' logits to the ensemble's answers, in one of three ways.

* ``vote``: within a group the logits are averaged, weighted by seats, and decoded; every group
  then has one vote on each word (first place of the chaii competition).
* ``vote-only``: nothing is averaged; every member decodes its own answer and has as many votes as
  seats.
* ``characters``: every member's probabilities are laid over the characters of the context and
  averaged over all members, weighted by seats (second and fifth place); see
  :mod:`autoqa.ensemble.characters`.

Ties and words that nobody agrees on fall to the best voter, see :func:`autoqa.ensemble.vote.vote`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.ensemble.blend import Logits, blend
from autoqa.ensemble.characters import GroupLogits, character_spans
from autoqa.ensemble.vote import vote
from autoqa.text.decode import SpanDecoder
from autoqa.text.slots import WindowsLike
from autoqa.types import Aggregator, Span, VoteBy


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble.

    Attributes:
        id: The candidate's id.
        group: Members of one group see the same windows, so their logits can be averaged.
        weight: Its seats, above 0.
    """

    id: str
    group: str
    weight: float = 1.0


def aggregate(
    members: Sequence[Member],
    logits: Mapping[str, Logits],
    windows: Mapping[str, WindowsLike],
    contexts: Sequence[str],
    *,
    best: str,
    max_answer_tokens: int = 48,
    aggregator: Aggregator = "vote",
    words: VoteBy = "set",
) -> list[Span]:
    """The ensemble's answer to every question.

    Args:
        members: The ensemble. Of the best group's members with the most seats, the first settles
            what ``vote-only`` leaves open.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        contexts: Context of each question.
        best: The group with the highest public score; it settles what ``vote`` leaves open.
        max_answer_tokens: Most tokens in an answer.
        aggregator: How members are joined, see above.
        words: What is voted on.

    Returns:
        One span per context; the empty span where no answer was found.

    Raises:
        ValueError: There are no members, or ``best`` is none of their groups.
        DataError: Logits are not numbers, or were made for other windows.
    """
    groups = {
        key: [member for member in members if member.group == key]
        for key in dict.fromkeys(member.group for member in members)
    }
    if best not in groups:
        raise ValueError(f"best group {best!r} has no member; the groups are {list(groups)}")
    if aggregator == "characters":
        laid = [
            GroupLogits(windows[key], [logits[m.id] for m in own], [m.weight for m in own])
            for key, own in groups.items()
        ]
        return character_spans(laid, contexts, max_answer_tokens)
    voters: list[_Voter] = []
    for key, own in groups.items():
        decoder = SpanDecoder(windows[key], contexts, max_answer_tokens)
        voters += _voters(own, logits, decoder, aggregator)
    if len(voters) == 1:
        return voters[0].answers
    leader = max(
        (i for i, voter in enumerate(voters) if voter.group == best), key=lambda i: voters[i].seats
    )
    seats = [voter.seats for voter in voters]
    ballots = zip(*(voter.answers for voter in voters), strict=True)
    return [
        vote(spans, context, leader, seats=seats, words=words)
        for spans, context in zip(ballots, contexts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Voter:
    group: str
    seats: float
    answers: list[Span]


def _voters(
    own: Sequence[Member],
    logits: Mapping[str, Logits],
    decoder: SpanDecoder,
    aggregator: Aggregator,
) -> list[_Voter]:
    """Who votes for one group: the group itself, or each of its members."""
    group, weights = own[0].group, [member.weight for member in own]
    pairs = [logits[member.id] for member in own]
    if aggregator == "vote":
        return [_Voter(group, 1.0, decoder.best(*blend(pairs, weights)))]
    return [
        _Voter(group, weight, decoder.best(*pair))
        for weight, pair in zip(weights, pairs, strict=True)
    ]
