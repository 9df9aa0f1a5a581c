"""Which candidates were chosen: made by the selector, kept in the run folder, read by export."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from autoqa.errors import DataError, NothingFeasibleError, did_you_mean
from autoqa.export.run import StudyRun
from autoqa.store.folders import write_atomically
from autoqa.store.records import CandidateRecord

Rule = Literal["interval", "mean"]


@dataclass(frozen=True, slots=True)
class Seat:
    """A chosen candidate.

    Attributes:
        id: The candidate's id.
        group: Its group.
        weight: Its part in the mean of its group's logits.
        reason: Why it was chosen.
    """

    id: str
    group: str
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """An ensemble that the choice was compared with, or the choice itself.

    Attributes:
        name: What it is.
        members: Ids of its candidates.
        jaccard: Its mean on the public part.
        low: Lower end of the 95 % interval of that mean.
        high: Upper end.
        chosen: Whether this is the choice.
    """

    name: str
    members: tuple[str, ...]
    jaccard: float
    low: float
    high: float
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The selector's result.

    Attributes:
        members: The chosen candidates.
        best: The group whose answer stands where the vote decides nothing.
        alternatives: What it was compared with.
        verdict: Why this one, in a sentence.
        considered: Ids of all candidates that could have been chosen.
        seats: Most members that were allowed.
        rule: How the comparison was decided.
    """

    members: tuple[Seat, ...]
    best: str
    alternatives: tuple[Alternative, ...]
    verdict: str
    considered: tuple[str, ...]
    seats: int
    rule: Rule


def only(run: StudyRun, candidate: str) -> Choice:
    """The choice of one candidate, by its id.

    Raises:
        NothingFeasibleError: The run has no such candidate.
    """
    records = {record.id: record for record in run.candidates()}
    if candidate not in records:
        hint = did_you_mean(candidate, records)
        raise NothingFeasibleError(
            f"--candidate {candidate!r}: the study {run.study.name!r} has no such candidate{hint}; "
            "`autoqa leaderboard` lists them."
        )
    group = records[candidate].group
    return Choice(
        members=(Seat(candidate, group, 1.0, "named on the command line"),),
        best=group,
        alternatives=(),
        verdict="",
        considered=tuple(records),
        seats=1,
        rule="interval",
    )


def save_choice(run: StudyRun, choice: Choice) -> None:
    """Writes ``selection.json`` and a row of the database."""
    content = asdict(choice)
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(run.folder.selection, text)
    run.store.add_selection(content)


def saved_choice(run: StudyRun, candidates: list[CandidateRecord]) -> Choice | None:
    """The last choice, if it was made among exactly these candidates.

    Raises:
        DataError: ``selection.json`` cannot be read.
    """
    path = run.folder.selection
    if not path.is_file():
        return None
    try:
        choice = _choice(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is no selection ({error!r:.80}): delete it, or run `autoqa select` again."
        ) from error
    newest = max(
        (run.folder.candidate(record.id) / "candidate.json").stat().st_mtime
        for record in candidates
    )
    same = set(choice.considered) == {record.id for record in candidates}
    return choice if same and path.stat().st_mtime >= newest else None


def _choice(content: dict[str, Any]) -> Choice:
    return Choice(
        members=tuple(Seat(**seat) for seat in content.pop("members")),
        alternatives=tuple(
            Alternative(**{**other, "members": tuple(other["members"])})
            for other in content.pop("alternatives")
        ),
        considered=tuple(content.pop("considered")),
        **content,
    )
