"""From members' logits to the ensemble's answers: blend within a group, vote across groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.ensemble.blend import Logits, blend
from autoqa.ensemble.vote import vote
from autoqa.text.decode import SpanDecoder
from autoqa.text.slots import WindowsLike
from autoqa.types import Span


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble.

    Attributes:
        id: The candidate's id.
        group: Members of one group see the same windows, so their logits can be averaged.
        weight: Its part in its group's mean, above 0.
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
) -> list[Span]:
    """The ensemble's answer to every question.

    Args:
        members: The ensemble, in any order.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        contexts: Context of each question.
        best: The group that settles what the vote leaves open: the one with the highest public
            score.
        max_answer_tokens: Most tokens in an answer.

    Returns:
        One span per context; the empty span where no answer was found.

    Raises:
        ValueError: There are no members, or ``best`` is none of their groups.
        DataError: Logits are not numbers, or were made for other windows.
    """
    groups = dict.fromkeys(member.group for member in members)
    if best not in groups:
        raise ValueError(f"best group {best!r} has no member; the groups are {list(groups)}")
    answers = []
    for group in groups:
        own = [member for member in members if member.group == group]
        start, end = blend([logits[m.id] for m in own], [m.weight for m in own])
        answers.append(SpanDecoder(windows[group], contexts, max_answer_tokens).best(start, end))
    if len(answers) == 1:
        return answers[0]
    leader = list(groups).index(best)
    return [
        vote(spans, context, leader)
        for spans, context in zip(zip(*answers, strict=True), contexts, strict=True)
    ]
