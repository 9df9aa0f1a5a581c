"""From selected candidates to the plan of a bundle: scores of both parts, groups, members."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.api import Precision
from autoqa.ensemble.aggregate import Member, aggregate
from autoqa.ensemble.selection import Seat
from autoqa.errors import ConfigError, DataError, PluginError
from autoqa.export.bundle import BundlePlan
from autoqa.export.manifest import GroupEntry, MemberEntry, ScoreEntry, VoteEntry
from autoqa.export.run import StudyRun
from autoqa.export.scoring import score_answers
from autoqa.export.selecting import MAX_ANSWER_TOKENS
from autoqa.features.files import load_windows
from autoqa.features.windows import Windows
from autoqa.registry.bind import bind
from autoqa.registry.discover import discover
from autoqa.store.database import Opening
from autoqa.store.folders import Logits, Part
from autoqa.store.records import CandidateRecord
from autoqa.types import Example

_GROUP = re.compile(r"[0-9a-f]{12}-(?P<length>\d+)-(?P<stride>\d+)")


@dataclass(frozen=True, slots=True)
class _Part:
    """Stored predictions of some candidates on one part of the validation set."""

    examples: Sequence[Example]
    windows: Mapping[str, Windows]
    logits: Mapping[str, tuple[Logits, Logits]]

    def score(self, members: Sequence[Member], best: str) -> ScoreEntry:
        groups = {member.group for member in members}
        spans = aggregate(
            members,
            {member.id: self.logits[member.id] for member in members},
            {group: self.windows[group] for group in groups},
            [example.context for example in self.examples],
            best=best,
            max_answer_tokens=MAX_ANSWER_TOKENS,
        )
        return score_answers([span.text for span in spans], self.examples)


def assemble(run: StudyRun, seats: Sequence[Seat], best: str, *, reason: str) -> BundlePlan:
    """Scores an ensemble on both parts and says what its bundle holds. Opens the private part.

    Args:
        run: The study's run.
        seats: Which candidates, with which weights.
        best: The group whose answer stands where the vote decides nothing.
        reason: Why the private part is opened; it is written down.

    Raises:
        DataError: Predictions, windows or a record are missing or damaged.
    """
    records = {seat.id: run.folder.read_record(seat.id) for seat in seats}
    members = [Member(seat.id, seat.group, seat.weight) for seat in seats]
    public = _load(run, members, "public")
    own = {m.id: public.score([m], m.group) for m in members}
    public_score = public.score(members, best)
    opening = run.store.log_opening(reason, purpose="export")
    private_score = _load(run, members, "private", opening).score(members, best)
    precisions = _precisions(run)
    return BundlePlan(
        study=run.study.name,
        members=tuple(
            _member(records[seat.id], own[seat.id], precisions, seat.weight, seat.reason)
            for seat in seats
        ),
        groups=tuple(_group(group) for group in dict.fromkeys(m.group for m in members)),
        vote=VoteEntry(best=best, max_answer_tokens=MAX_ANSWER_TOKENS),
        public=public_score,
        private=private_score,
        openings=opening.number,
        models={seat.id: run.folder.model(seat.id) for seat in seats},
    )


def _load(
    run: StudyRun, members: Sequence[Member], part: Part, opening: Opening | None = None
) -> _Part:
    groups = {member.group for member in members}
    return _Part(
        examples=run.folder.load_examples(part, opening),
        windows={g: load_windows(run.folder.windows_path(g, part)) for g in groups},
        logits={m.id: run.folder.load_logits(m.id, part, opening) for m in members},
    )


def _member(
    record: CandidateRecord,
    public: ScoreEntry,
    precisions: Mapping[str, Precision],
    weight: float,
    reason: str,
) -> MemberEntry:
    return MemberEntry(
        id=record.id,
        backbone=record.backbone,
        group=record.group,
        weight=weight,
        folder=f"members/{record.id}",
        precision=precisions.get(record.backbone, "auto"),
        licence=record.licence,
        trial=record.trial,
        fraction=record.fraction,
        learning_rate=record.learning_rate,
        seed=record.seed,
        recipe=record.recipe,
        public=public,
        reason=reason,
    )


def _group(key: str) -> GroupEntry:
    match = _GROUP.fullmatch(key)
    if match is None:
        raise DataError(
            f"group {key!r} does not say its window length and stride (as 0123456789ab-384-128 "
            "does): its candidates are of another version of autoqa, search again."
        )
    length, stride = int(match["length"]), int(match["stride"])
    return GroupEntry(id=key, folder=f"tokenizers/{key}", length=length, stride=stride)


def _precisions(run: StudyRun) -> dict[str, Precision]:
    """Each backbone's precision; without its plugin, what the study file itself says."""
    try:
        bound = bind(run.study, discover())
    except (PluginError, ConfigError):
        tables = run.study.backbones.items()
        return {name: table.protocol.get("precision", "auto") for name, table in tables}
    return {name: backbone.protocol.precision for name, backbone in bound.backbones.items()}
