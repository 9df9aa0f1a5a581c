"""Distillation of a study's ensemble into one model, which becomes a candidate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoqa.api import TrainingProtocol
from autoqa.bundle.input_rows import UNKNOWN_LANGUAGE, read_rows, refuse
from autoqa.config.study import StudyFile
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import (
    ConfigError,
    DataError,
    MissingAssetError,
    NothingFeasibleError,
    TrainingError,
    did_you_mean,
)
from autoqa.features.files import load_windows
from autoqa.recipes import Method, Portion, Recipe, TrainingRun
from autoqa.registry import open_study
from autoqa.searching.budget import Budget
from autoqa.searching.display import Display, duration, score
from autoqa.searching.hearing import hear
from autoqa.searching.interrupts import Interrupts, SearchInterruptedError
from autoqa.searching.optuna_study import adopt
from autoqa.searching.retention import retain
from autoqa.searching.retrain import micro_scales
from autoqa.searching.setup import reopen
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.unlabelled import keep_unlabelled
from autoqa.store.weight_quota import dropped
from autoqa.training.messages import (
    DistilJob,
    Message,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFailed,
    TrialFinished,
)
from autoqa.types import Example
from autoqa.workers.base import Worker, WorkerPool, WorkerSettings
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import plan_workers


def distil(
    folder: RunFolder,
    store: Store,
    study: StudyFile,
    seats: Sequence[Seat],
    backbone: str,
    display: Display,
    *,
    unlabelled: Path | None = None,
    workers: str = LOCAL_PROCESS,
    factory: Factory = training_factory,
) -> CandidateRecord:
    """Teaches one model what an ensemble says, and keeps it as a candidate.

    The pupil's training is that of the best run of its backbone; where there is none, it has the
    best run's recipe in the window length of the pupil's protocol, and the protocol's rate.

    Args:
        folder: The study's run folder; nothing else may write to it meanwhile.
        store: Its database.
        study: The study file as the search froze it.
        seats: The ensemble.
        backbone: The pupil's, a name in the study file.
        display: What people see.
        unlabelled: A file with further questions and contexts, as ``predict`` reads them.
        workers: The kind of worker.
        factory: Makes, inside a worker, the function that runs one job.

    Returns:
        The pupil; an earlier one, if the same ensemble taught it the same.

    Raises:
        ConfigError: There is no such backbone, or the study file is not the one of then.
        MissingAssetError: A teacher's weights were dropped.
        NothingFeasibleError: No run is left whose recipe the pupil could be trained with.
        DataError: The unlabelled file cannot be used, or the data are not those of then.
        TrainingError: The run failed.
        SearchInterruptedError: A signal asked for the end; the same call goes on.
    """
    if backbone not in study.backbones:
        known = did_you_mean(backbone, study.backbones) or f"; it has {', '.join(study.backbones)}"
        raise ConfigError(f"--distil {backbone!r}: the study has no such backbone{known}")
    examples = () if unlabelled is None else _read_unlabelled(unlabelled)
    with folder.lock(), display:
        for record in adopt(folder, store.candidates()):
            store.add_candidate(record)
        source = keep_unlabelled(folder, examples) if examples else None
        records = {record.id: record for record in store.candidates()}
        job = _plan(folder, records, seats, backbone, source)
        if job.candidate_id(1.0) in records:
            display.event(f"{job.candidate_id(1.0)} is there: the same ensemble taught it before")
            return records[job.candidate_id(1.0)]
        _check_teachers(folder, job, store.study)
        for sentence in _announced(folder, job, records, len(examples)):
            display.event(sentence)
        return _taught(folder, store, job, display, workers, factory)


def _taught(
    folder: RunFolder,
    store: Store,
    job: DistilJob,
    display: Display,
    workers: str,
    factory: Factory,
) -> CandidateRecord:
    """Has a worker of its own, with all cores, run the job, and keeps what it made."""
    bound = reopen(folder, store)
    job = replace(job, micro_scale=micro_scales(bound.study, folder).get(job.trial, 1.0))
    settings = WorkerSettings(factory, bound.study, folder.path, plan_workers(1), folder.logs)
    record = _Lesson(folder, job, display).run(make_pool(workers, settings))
    store.add_candidate(record)
    display.event(f"candidate {record.id} {score(record)}")
    needed = {record.id, *record.teachers}
    for sentence in retain(folder, store, bound.study.search.weights, needed):
        display.event(sentence)
    return folder.read_record(record.id)


def _read_unlabelled(path: Path) -> tuple[Example, ...]:
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


def _plan(
    folder: RunFolder,
    records: Mapping[str, CandidateRecord],
    seats: Sequence[Seat],
    backbone: str,
    source: str | None,
) -> DistilJob:
    """Which run the pupil is trained with, and by whom."""
    runs = sorted((each for each in records.values() if not each.derived), key=by_score)
    if not runs:
        raise NothingFeasibleError(
            "no candidate of this study comes from a run of its own, so there is no recipe to "
            "train a pupil with: run `autoqa search`"
        )
    best = next((each for each in runs if each.backbone == backbone), runs[0])
    recipe, rate = Recipe.from_dict(best.recipe), best.learning_rate
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
    return DistilJob(
        trial=best.trial,
        backbone=backbone,
        run=TrainingRun(Recipe((*recipe.stages[:-1], last), method), rate, best.seed),
        run_folder=folder.path,
        windows_per_second=None if foreign else best.windows_per_second,
        only=1.0,
        teachers=tuple(
            (records[seat.id], max(1, round(seat.weight)))
            for seat in sorted(seats, key=lambda seat: seat.id)
        ),
    )


def _fitted(recipe: Recipe, protocol: TrainingProtocol) -> Recipe:
    """A recipe of another backbone in the windows of this one."""
    length, stride = protocol.length, protocol.stride
    stages = (replace(stage, length=length, stride=stride) for stage in recipe.stages)
    return replace(recipe, stages=tuple(stages))


def _check_teachers(folder: RunFolder, job: DistilJob, study: str) -> None:
    absent = [each.id for each, _ in job.teachers if dropped(folder, each.id) is not None]
    if absent:
        raise MissingAssetError(
            f"the weights of {', '.join(absent)}, which would teach, were dropped: "
            f"`autoqa retrain {study} {' '.join(absent)}` makes them again"
        )


def _announced(
    folder: RunFolder, job: DistilJob, records: Mapping[str, CandidateRecord], unlabelled: int
) -> list[str]:
    """Who teaches whom, and how long that will take."""
    names = [f"{each.id} × {n}" if n > 1 else each.id for each, n in job.teachers]
    lines = [f"{job.candidate_id(1.0)}: {job.backbone} is taught by {', '.join(names)}"]
    if len(job.teachers) == 1 and job.teachers[0][0].backbone == job.backbone:
        lines.append(
            "the ensemble is one model of this backbone already: its pupil will be no faster"
        )
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


class _Lesson:
    """One job on one worker."""

    def __init__(self, folder: RunFolder, job: DistilJob, display: Display) -> None:
        self.folder, self.job, self.display = folder, job, display
        self.busy: set[int] = set()
        self.pupil: CandidateRecord | None = None

    def run(self, pool: WorkerPool) -> CandidateRecord:
        """Has a worker run the job; returns what it made."""
        worker = pool.workers[0]
        with Interrupts(kill=pool.kill) as interrupts:
            try:
                worker.assign(self.job)
                self.busy.add(worker.number)
                while self.busy and not interrupts.stopping:
                    hear(
                        pool,
                        self.busy,
                        interrupts.wake,
                        Budget(),
                        receive=self._receive,
                        lost=self._lost,
                    )
            finally:
                pool.end()
                self.folder.remove_partial()
        if self.busy or self.pupil is None:
            raise SearchInterruptedError(
                "distillation was interrupted; what teachers said is kept. The same command goes on"
            )
        return self.pupil

    def _lost(self, _: Worker, reason: str) -> None:
        raise TrainingError(f"{self.job.candidate_id(1.0)}: {reason}")

    def _receive(self, worker: Worker, message: Message) -> None:
        match message:
            case Progress():
                self.display.working(worker.number, self.job.backbone, message)
            case RecipeCard(lines=lines):
                for line in lines:
                    self.display.event(line)
            case Note(text=text):
                self.display.event(text)
            case SnapshotTaken(candidate=candidate):
                if not math.isfinite(candidate.jaccard):
                    self._lost(worker, "its score is not a number")
                self.pupil = candidate
            case TrialFinished():
                self.busy.discard(worker.number)
                self.display.idle(worker.number)
            case TrialFailed(reason=reason):
                self._lost(worker, reason)
