"""An ensemble's members trained again with the rows that validated them, for the bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoqa.analysis.finished_run import StudyRun
from autoqa.bundle.entries import RefitEntry
from autoqa.ensemble.choosing.selection import Seat
from autoqa.modeling.soup import average_models
from autoqa.searching.refit import refitting
from autoqa.supervision.display import Display, QuietDisplay
from autoqa.training.refit_plan import draws_from


@dataclass(frozen=True, slots=True)
class RefitOptions:
    """How members are trained again.

    Attributes:
        seeds: How often each run is trained; the weights are averaged.
        display: What people see meanwhile.
    """

    seeds: int = 1
    display: Display = field(default_factory=QuietDisplay)


@dataclass(frozen=True, slots=True)
class Refitted:
    """What a refit made.

    Attributes:
        models: Folder with weights, configuration and tokenizer of each member that was trained
            again, by its id.
        entry: What the bundle says about it.
    """

    models: Mapping[str, Path]
    entry: RefitEntry


def kept_members(run: StudyRun, seats: Sequence[Seat]) -> list[str]:
    """Members that a refit leaves as they are, because they draw nothing from validation's source.

    Raises:
        DataError: A record is missing or damaged.
    """
    source = run.study.validation.source
    return [seat.id for seat in seats if not draws_from(run.folder.read_record(seat.id), source)]


def refit_members(
    run: StudyRun, seats: Sequence[Seat], options: RefitOptions, scratch: Path
) -> Refitted:
    """Trains members again; what was trained before, with the same rows and seeds, is taken.

    Args:
        run: The study's run.
        seats: The ensemble.
        options: How.
        scratch: A folder for averaged models.

    Raises:
        ConfigError: There are no rows to add, or the study file is not the one of then.
        DataError: A record is damaged, a recipe of another version, or the data are others.
        MissingAssetError: Weights or data are not on this machine.
        TrainingError: A run failed.
        SearchInterruptedError: A signal asked for the end.
    """
    names, models = [seat.id for seat in seats], {}
    with refitting(run.folder, run.store, names, options.display, seeds=options.seeds) as refitter:
        options.display.event(refitter.sentence(refitter.seconds()))
        for member, parts in refitter.train().items():
            models[member] = scratch / member
            average_models(parts, models[member])
        public, private = map(len, refitter.added())
        seeds = {member: refitter.member_seeds(member) for member in models}
    return Refitted(
        models, RefitEntry(source=refitter.source, public=public, private=private, seeds=seeds)
    )
