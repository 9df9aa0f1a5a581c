"""What a distillation will be: the pupil's run, its teachers, and how long that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoqa.api import TrainingProtocol
from autoqa.bundle.input_rows import UNKNOWN_LANGUAGE, read_rows, refuse
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import ConfigError, DataError, NothingFeasibleError
from autoqa.features.files import load_windows
from autoqa.recipes import Method, Portion, Recipe, TrainingRun, begins
from autoqa.registry import open_study
from autoqa.searching.rounds import going_on, mergeable
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import duration
from autoqa.training.jobs import DistilJob
from autoqa.types import Example

RATE_OF_PUPIL = 0.25
"""Share of a run's learning rate at which a pupil that begins with trained weights goes on. No
other was tried (``tests/benchmarks/RESULTS.md``, One model in place of an ensemble)."""


def read_unlabelled(path: Path) -> tuple[Example, ...]:
    """Questions and contexts from a file, as ``predict`` reads them.

    Raises:
        MissingAssetError: There is no such file.
        DataError: The file or one of its rows cannot be used, or there is no row.
    """
    rows = read_rows(path)
    refuse(rows.problems)
    if not rows.good:
        raise DataError(f"{path} holds no rows, so there is nothing to learn from it.")
    return tuple(
        Example(
            id=row.id,
            question=row.question,
            context=row.context,
            answers=(),
            language=row.language or UNKNOWN_LANGUAGE,
            document="",
        )
        for row in rows.good
    )


def plan_distillation(
    folder: RunFolder,
    records: Mapping[str, CandidateRecord],
    seats: Sequence[Seat],
    backbone: str,
    source: str | None,
) -> DistilJob:
    """Which run the pupil is trained with, and by whom.

    Args:
        folder: The study's run folder.
        records: Its candidates by id.
        seats: The teachers.
        backbone: The pupil's.
        source: What :func:`autoqa.store.unlabelled.keep_unlabelled` called further questions.

    Raises:
        NothingFeasibleError: No run is left whose recipe the pupil could be trained with.
        ConfigError: The pupil or a teacher generates answers.
    """
    _refuse_generating(folder, records, seats, backbone)
    runs = sorted((each for each in records.values() if not each.derived), key=by_score)
    if not runs:
        raise NothingFeasibleError(
            "no candidate of this study comes from a run of its own, so there is no recipe to "
            "train a pupil with: run `autoqa search`"
        )
    best = next((each for each in runs if each.backbone == backbone), runs[0])
    recipe, rate = Recipe.from_dict(best.recipe), best.training_run.rate_from_pretrained
    foreign = best.backbone != backbone
    if foreign:
        protocol = open_study(folder.study_file).backbones[backbone].protocol
        recipe, rate = _fitted(recipe, protocol), protocol.learning_rate
    last = recipe.stages[-1]
    if source is not None:
        last = replace(last, portions=(*last.portions, Portion(source)))
    # Distributions of starts and of ends are what is learned: no head that scores ends given the
    # labelled start, and no loss of labels alone.
    plain = Method()
    method = replace(recipe.method, head=plain.head, loss=plain.loss)
    run = TrainingRun(Recipe((*recipe.stages[:-1], last), method), rate, best.seed)
    alike = [records[seat.id] for seat in seats if records[seat.id].backbone == backbone]
    return DistilJob(
        trial=best.trial,
        backbone=backbone,
        run=going_on(run, mergeable(alike, plain.head), RATE_OF_PUPIL),
        run_folder=folder.path,
        windows_per_second=None if foreign else best.windows_per_second,
        only=1.0,
        teachers=tuple(
            (records[seat.id], max(1, round(seat.weight)))
            for seat in sorted(seats, key=lambda seat: seat.id)
        ),
    )


def _refuse_generating(
    folder: RunFolder, records: Mapping[str, CandidateRecord], seats: Sequence[Seat], backbone: str
) -> None:
    """Refuses models without distributions of starts and ends, which are what is learned."""
    generating = [seat.id for seat in seats if records[seat.id].generates]
    if generating:
        raise ConfigError(
            f"{', '.join(generating)} cannot teach: a pupil learns probabilities of starts and "
            "ends, and models that generate answers have none; name members of other backbones"
        )
    if open_study(folder.study_file).backbones[backbone].spec.kind == "text":
        raise ConfigError(
            f"backbone {backbone!r} cannot be taught: it generates answers, and has no "
            "probabilities of starts and ends to learn; take another backbone for the pupil"
        )


def _fitted(recipe: Recipe, protocol: TrainingProtocol) -> Recipe:
    """A recipe of another backbone in the windows of this one."""
    length, stride = protocol.length, protocol.stride
    stages = (replace(stage, length=length, stride=stride) for stage in recipe.stages)
    return replace(recipe, stages=tuple(stages))


def announced(
    folder: RunFolder, job: DistilJob, records: Mapping[str, CandidateRecord], unlabelled: int
) -> list[str]:
    """Who teaches whom, and how long that will take, in sentences.

    Args:
        folder: The study's run folder.
        job: What :func:`plan_distillation` made.
        records: The study's candidates by id.
        unlabelled: How many questions without answers there are.
    """
    names = [f"{each.id} × {n}" if n > 1 else each.id for each, n in job.teachers]
    lines = [f"{job.candidate_id(1.0)}: {job.backbone} is taught by {', '.join(names)}"]
    if len(job.teachers) == 1 and job.teachers[0][0].backbone == job.backbone:
        lines.append(
            "the ensemble is one model of this backbone already: its pupil will be no faster"
        )
    if job.run.begins_with:
        lines.append(f"it {begins(job.run.begins_with)}")
    seconds = _expected_seconds(folder, job, records, unlabelled)
    time = "unknown: no run of this backbone is complete" if seconds is None else duration(seconds)
    return [*lines, f"expected time: {time}"]


def _expected_seconds(
    folder: RunFolder, job: DistilJob, records: Mapping[str, CandidateRecord], unlabelled: int
) -> float | None:
    """Time of the model's run, and of all teachers' answers; ``None`` where nobody knows."""
    runs = [
        each
        for each in records.values()
        if (each.trial, each.backbone) == (job.trial, job.backbone) and not each.derived
    ]
    if not runs:
        return None
    run = max(runs, key=lambda each: each.fraction)
    public = {
        group: load_windows(folder.windows_path(group, "public"))
        for group in {run.group, *(each.group for each, _ in job.teachers)}
    }
    per_question = len(public[run.group]) / max(1, len(np.unique(public[run.group].example)))
    training = run.seconds / run.fraction
    windows = training * run.windows_per_second + unlabelled * per_question
    asking = sum(each.inference_seconds / len(public[each.group]) for each, _ in job.teachers)
    seconds = windows / run.windows_per_second + windows * asking
    return seconds if np.isfinite(seconds) else None
