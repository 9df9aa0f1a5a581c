"""From selected candidates to the plan of a bundle: scores of both parts, groups, members.

All scores are those of post-processed answers, as the bundle gives them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from autoqa.api import Precision
from autoqa.ensemble.aggregate import Member
from autoqa.ensemble.selection import Seat
from autoqa.errors import ConfigError, DataError, PluginError
from autoqa.export.bundle import BundlePlan
from autoqa.export.entries import ScoreEntry
from autoqa.export.manifest import UNKNOWN, GroupEntry, MemberEntry
from autoqa.export.postprocessing import kept_rules
from autoqa.export.run import StudyRun
from autoqa.export.sealed import private_score
from autoqa.export.stored import load_part, vote_of
from autoqa.registry.bind import bind
from autoqa.registry.bound import BoundStudy, guarded
from autoqa.registry.discover import discover
from autoqa.store.records import CandidateRecord
from autoqa.text.recipes import lines
from autoqa.types import Recipe

_GROUP = re.compile(r"[0-9a-f]{12}-(?P<length>\d+)-(?P<stride>\d+)")


def assemble(run: StudyRun, seats: Sequence[Seat], best: str, *, reason: str) -> BundlePlan:
    """Scores an ensemble on both parts and says what its bundle holds.

    The private part is opened unless the ensemble's score there is known from an earlier opening.

    Args:
        run: The study's run.
        seats: Which candidates, with which weights.
        best: The group whose answer stands where the vote decides nothing.
        reason: Why the private part is opened, if it is; it is written down.

    Raises:
        DataError: Predictions, windows or a record are missing or damaged.
    """
    records = {seat.id: run.folder.read_record(seat.id) for seat in seats}
    members = [Member(seat.id, seat.group, seat.weight) for seat in seats]
    vote, rules = vote_of(run, best), kept_rules(run)
    public = load_part(run, members, "public")
    own = {m.id: public.score([m], vote_of(run, m.group), rules) for m in members}
    public_score = public.score(members, vote, rules)
    sealed = private_score(run, members, vote, rules, reason=reason)
    bound = _bound(run)
    precisions = _precisions(run, bound)
    return BundlePlan(
        study=run.study.name,
        members=tuple(
            _member(records[seat.id], own[seat.id], precisions, seat.weight, seat.reason)
            for seat in seats
        ),
        groups=tuple(_group(group) for group in dict.fromkeys(m.group for m in members)),
        vote=vote,
        rules=rules,
        data=_data_licences(run, bound, records.values()),
        public=public_score,
        private=sealed.score,
        openings=len(run.store.openings()),
        opened=sealed.fresh,
        models={seat.id: run.folder.model(seat.id) for seat in seats},
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
        card=_card(record),
        public=public,
        reason=reason,
    )


def window_size(group: str) -> tuple[int, int]:
    """Length and stride of a group's windows, in tokens.

    Raises:
        DataError: The group's key does not say them.
    """
    match = _GROUP.fullmatch(group)
    if match is None:
        raise DataError(
            f"group {group!r} does not say its window length and stride (as 0123456789ab-384-128 "
            "does): its candidates are of another version of autoqa, search again."
        )
    return int(match["length"]), int(match["stride"])


def _group(key: str) -> GroupEntry:
    length, stride = window_size(key)
    return GroupEntry(id=key, folder=f"tokenizers/{key}", length=length, stride=stride)


def _card(record: CandidateRecord) -> tuple[str, ...]:
    try:
        recipe = Recipe.from_dict(record.recipe)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"candidate {record.id}: its recipe is of another version of autoqa ({error!r:.80}): "
            "search again, or export with that version."
        ) from error
    return tuple(lines(recipe, record.learning_rate))


def _bound(run: StudyRun) -> BoundStudy | None:
    """The study with its plugins; ``None`` where one is not on this machine (any more)."""
    try:
        return bind(run.study, discover())
    except (PluginError, ConfigError):
        return None


def _precisions(run: StudyRun, bound: BoundStudy | None) -> dict[str, Precision]:
    """Each backbone's precision; without its plugin, what the study file itself says."""
    if bound is None:
        tables = run.study.backbones.items()
        return {name: table.protocol.get("precision", "auto") for name, table in tables}
    return {name: backbone.protocol.precision for name, backbone in bound.backbones.items()}


def _data_licences(
    run: StudyRun, bound: BoundStudy | None, records: Iterable[CandidateRecord]
) -> dict[str, str]:
    """Licence of each source that was trained on: the study file's word, else the plugin's."""
    stages = [stage for record in records for stage in record.recipe["stages"]]
    found = {}
    for name in sorted({portion["source"] for stage in stages for portion in stage["portions"]}):
        table = run.study.sources.get(name)
        licence = table.licence if table else None
        if licence is None and bound is not None and name in bound.sources:
            source = bound.sources[name]
            where = f"sources.{name}"
            licence = guarded(where, source.spec.name, source.spec.licence, source.options)
        found[name] = licence or UNKNOWN
    return found
