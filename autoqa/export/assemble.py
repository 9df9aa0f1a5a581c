"""From selected candidates to the plan of a bundle: scores of both parts, groups, members.

All scores are those of post-processed answers, as the bundle gives them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.none_fit import alone
from autoqa.analysis.private_scores import private_score
from autoqa.analysis.stored_predictions import load_part
from autoqa.api import Precision
from autoqa.bundle.entries import GroupEntry, MemberEntry
from autoqa.bundle.manifest import UNKNOWN
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import ConfigError, PluginError
from autoqa.export.reliability import none_entry, stated_confidence
from autoqa.export.write import BundlePlan
from autoqa.features.files import kept_limits
from autoqa.features.window_group import WindowGroup
from autoqa.recipes import begins, lines
from autoqa.registry.bind import bind
from autoqa.registry.bound import BoundStudy, guarded
from autoqa.registry.discover import discover
from autoqa.scores.summary import ScoreEntry
from autoqa.store.candidate_record import CandidateRecord, windows_key


def assemble(run: StudyRun, seats: Sequence[Seat], tie_group: str, *, reason: str) -> BundlePlan:
    """Scores an ensemble on both parts and says what its bundle holds.

    The private part is opened unless the ensemble's score there is known from an earlier opening.

    Args:
        run: The study's run.
        seats: Which candidates, with which weights.
        tie_group: The group whose answer stands where the vote decides nothing.
        reason: Why the private part is opened, if it is; it is written down.

    Raises:
        DataError: Predictions, windows or a record are missing or damaged.
    """
    records = {seat.id: run.folder.read_record(seat.id) for seat in seats}
    plan = finished_plan(run, seats, tie_group)
    public = load_part(run, plan.members, "public")
    member_scores = {
        member.id: public.score(alone(public, plan, member)) for member in plan.members
    }
    private = private_score(run, plan, reason=reason)
    bound = _bound(run)
    limits = kept_limits(run.folder, plan.groups)
    most = limits[plan.tie_group]
    precisions = _precisions(run, bound)
    return BundlePlan(
        study=run.study.name,
        members=tuple(
            _member(run, records[seat.id], member_scores[seat.id], precisions, seat)
            for seat in seats
        ),
        groups=tuple(_group(key, limit, most) for key, limit in limits.items()),
        ensemble=plan,
        max_answer_tokens=most,
        data=_data_licences(run, bound, _with_forebears(run, records.values())),
        public=public.score(plan),
        private=private.score,
        no_answer=none_entry(public, plan, private.split),
        confidence=stated_confidence(public, plan),
        openings=len(run.store.openings()),
        opened=private.fresh,
        models={seat.id: run.folder.model(seat.id) for seat in seats},
    )


def _member(
    run: StudyRun,
    record: CandidateRecord,
    public: ScoreEntry,
    precisions: Mapping[str, Precision],
    seat: Seat,
) -> MemberEntry:
    return MemberEntry(
        id=record.id,
        backbone=record.backbone,
        kind="text" if record.generates else "span",
        group=record.group,
        weight=seat.weight,
        folder=f"members/{record.id}",
        precision=precisions.get(record.backbone, "auto"),
        licence=record.licence,
        trial=record.trial,
        fraction=record.fraction,
        learning_rate=record.learning_rate,
        seed=record.seed,
        recipe=record.recipe,
        card=(
            *_folds(run),
            *(_soup_card(run, record) if record.ingredients else _card(record)),
        ),
        teachers=record.teachers,
        public=public,
        reason=seat.reason,
        ingredients=record.ingredients,
        begins_with=record.begins_with,
    )


def _group(key: str, limit: int, most: int) -> GroupEntry:
    group = WindowGroup.parse(key)
    return GroupEntry(
        id=key,
        folder=f"tokenizers/{windows_key(key)}",
        length=group.length,
        stride=group.stride,
        max_answer_tokens=None if limit == most else limit,
    )


def _card(record: CandidateRecord) -> tuple[str, ...]:
    start = (begins(record.begins_with),) if record.begins_with else ()
    return (*_taught(record), *start, *lines(record.training_run.recipe, record.learning_rate))


def _folds(run: StudyRun) -> tuple[str, ...]:
    """A line that says what a study with folds trains and scores."""
    count = run.study.validation.folds
    if count is None:
        return ()
    return (
        f"each run is the mean of {count} models, each trained without one of {count} folds of the "
        "documents; a public question is scored by the one that was not trained on its document",
    )


def _taught(record: CandidateRecord) -> tuple[str, ...]:
    """A line that says who taught a pupil, and how much each counted."""
    seats = Counter(record.teachers)
    names = ", ".join(f"{name} × {n}" if n > 1 else name for name, n in seats.items())
    return (f"distilled from: {names}",) if names else ()


def _soup_card(run: StudyRun, soup: CandidateRecord) -> tuple[str, ...]:
    """One card of each run, under the names of the ingredients that come from it."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for name in soup.ingredients:
        owners.setdefault(_card(run.folder.read_record(name)), []).append(name)
    parts = (
        line
        for card, names in owners.items()
        for line in (f"{', '.join(names)}:", *(f"  {text}" for text in card))
    )
    return (f"mean of the weights of: {', '.join(soup.ingredients)}", *parts)


def _with_forebears(
    run: StudyRun, records: Collection[CandidateRecord]
) -> Iterable[CandidateRecord]:
    """Records, those of their teachers and of what they began with: its data made them, too."""
    found = {record.id: record for record in records}
    waiting = list(records)
    while waiting:
        record = waiting.pop()
        for name in {*record.teachers, *record.begins_with, *record.ingredients} - found.keys():
            found[name] = run.folder.read_record(name)
            waiting.append(found[name])
    return list(found.values())


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
    licences = {}
    for name in sorted({portion["source"] for stage in stages for portion in stage["portions"]}):
        table = run.study.sources.get(name)
        licence = table.licence if table else None
        if licence is None and bound is not None and name in bound.sources:
            source = bound.sources[name]
            where = f"sources.{name}"
            licence = guarded(where, source.spec.name, source.spec.licence, source.options)
        licences[name] = licence or UNKNOWN
    return licences
