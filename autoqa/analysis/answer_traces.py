"""What an ensemble and its members answered to each public question, and how the vote went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import StoredPart, load_part
from autoqa.ensemble.joining.aggregate import leading_voter, list_voters
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.ensemble.joining.vote import WordVotes, disagreement, word_votes
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric
from autoqa.text.segmentation import pieces
from autoqa.types import Answer, Example, Segmentation, Span

ErrorKind = Literal[
    "right",
    "too long",
    "too short",
    "partly right",
    "elsewhere",
    "none given",
    "none wanted",
]

ERROR_KINDS: dict[ErrorKind, str] = {
    "right": "as the reference has it",
    "too long": "the reference and more",
    "too short": "a part of the reference",
    "partly right": "some words of the reference, and others",
    "elsewhere": "no word of the reference",
    "none given": "no answer, where there is one",
    "none wanted": "an answer, where there is none",
}
"""What an answer can be, and what that means."""


@dataclass(frozen=True, slots=True)
class AnswerTrace:
    """How one question was answered.

    Attributes:
        example: The question with its references.
        answer: What the ensemble says.
        score: Of that, by the study's metric.
        kind: What is wrong with it.
        members: What each member says alone.
        votes: The words that were voted on; empty where all voters agree, or nobody votes.
    """

    example: Example
    answer: Span
    score: float
    kind: ErrorKind
    members: tuple[Span, ...]
    votes: tuple[WordVotes, ...]


@dataclass(frozen=True, slots=True)
class AnswerTraces:
    """How the public part was answered.

    Attributes:
        members: The members' ids.
        voters: Who votes: members, or groups of them, as lists of members' ids.
        leader: Which of the voters has its way where a vote decides nothing.
        traces: One for each question.
        disagreement: Mean of 1 - word-level Jaccard between two members' answers.
    """

    members: tuple[str, ...]
    voters: tuple[tuple[str, ...], ...]
    leader: int
    traces: tuple[AnswerTrace, ...]
    disagreement: tuple[tuple[float, ...], ...]


def trace_answers(run: StudyRun, plan: EnsemblePlan) -> AnswerTraces:
    """Reads what an ensemble and its members answer to the public part.

    Raises:
        DataError: Predictions, windows or questions are missing or damaged.
    """
    part = load_part(run, plan.members, "public")
    joint = part.spans(plan)
    alone = [part.spans(plan.alone(member)) for member in plan.members]
    scores = score_by(part.metric, [span.text for span in joint], part.examples)
    segmentation = get_metric(part.metric).segmentation
    voters, leader, votes = _votes(plan, part)
    return AnswerTraces(
        members=tuple(member.id for member in plan.members),
        voters=voters,
        leader=leader,
        traces=tuple(
            AnswerTrace(
                example=example,
                answer=span,
                score=float(score),
                kind=error_kind(span.text, example.answers, float(score), segmentation),
                members=tuple(spans[number] for spans in alone),
                votes=tuple(votes[number]),
            )
            for number, (example, span, score) in enumerate(
                zip(part.examples, joint, scores, strict=True)
            )
        ),
        disagreement=tuple(
            tuple(disagreement(first, second) for second in alone) for first in alone
        ),
    )


def error_kind(
    answer: str, references: Sequence[Answer], score: float, segmentation: Segmentation
) -> ErrorKind:
    """What is wrong with an answer, by the words that it shares with the nearest reference.

    Args:
        answer: What was said; empty for no answer.
        references: What should have been said; empty where there is no answer.
        score: What the study's metric makes of it; 1 is right, whatever words say.
        segmentation: Where texts are cut into words.
    """
    if score >= 1 - 1e-9:
        return "right"
    if not references:
        return "none wanted"
    said = set(pieces(answer, segmentation))
    if not said:
        return "none given"
    wanted = max(
        (set(pieces(each.text, segmentation)) for each in references),
        key=lambda words: len(words & said) / len(words | said),
    )
    if not wanted & said:
        return "elsewhere"
    if wanted < said:
        return "too long"
    return "too short" if said < wanted else "partly right"


def _votes(
    plan: EnsemblePlan, part: StoredPart
) -> tuple[tuple[tuple[str, ...], ...], int, list[list[WordVotes]]]:
    """Who votes, who leads, and the words of each question that its voters do not all have."""
    nothing: list[list[WordVotes]] = [[] for _ in part.examples]
    if plan.aggregator == "characters":
        return (), 0, nothing
    contexts = [example.context for example in part.examples]
    voters = list_voters(plan, part.logits, part.windows, contexts)
    groups = plan.groups
    names = tuple(
        (voter.name,) if voter.name not in groups else tuple(m.id for m in groups[voter.name])
        for voter in voters
    )
    if len(voters) < 2:
        return names, 0, nothing
    leader, seats = leading_voter(plan, voters), [voter.seats for voter in voters]
    votes = []
    for ballots in zip(*(voter.answers for voter in voters), strict=True):
        agreed = len({(span.start, span.end) for span in ballots}) == 1
        votes.append(
            []
            if agreed
            else word_votes(
                ballots, leader, seats=seats, words=plan.words, segmentation=plan.segmentation
            )
        )
    return names, leader, votes


def kinds_of(answers: AnswerTraces) -> dict[ErrorKind, int]:
    """How often each kind occurs, those that do not left out."""
    counts = {kind: sum(each.kind == kind for each in answers.traces) for kind in ERROR_KINDS}
    return {kind: count for kind, count in counts.items() if count}
