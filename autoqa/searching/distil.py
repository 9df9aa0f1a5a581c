"""Distillation of a study's ensemble into one model, which becomes a candidate."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import (
    ConfigError,
    MissingAssetError,
    TrainingError,
    did_you_mean,
)
from autoqa.searching.distil_plan import announced, plan_distillation, read_unlabelled
from autoqa.searching.retention import retain
from autoqa.searching.setup import reopen
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.unlabelled import keep_unlabelled
from autoqa.store.weight_quota import dropped
from autoqa.supervision.display import Display, score
from autoqa.supervision.job_queue import run_jobs
from autoqa.supervision.reported import leading
from autoqa.training.jobs import DistilJob
from autoqa.trials.optuna_study import adopt, micro_scales
from autoqa.workers.base import WorkerSettings
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
        raise ConfigError(f"distil {backbone!r}: the study has no such backbone{known}")
    examples = () if unlabelled is None else read_unlabelled(unlabelled)
    with leading(store, "distillation", display) as display:
        for record in adopt(folder, store.candidates()):
            store.add_candidate(record)
        source = keep_unlabelled(folder, examples) if examples else None
        records = {record.id: record for record in store.candidates()}
        job = plan_distillation(folder, records, seats, backbone, source)
        if job.candidate_id(1.0) in records:
            display.event(f"{job.candidate_id(1.0)} is there: the same ensemble taught it before")
            return records[job.candidate_id(1.0)]
        if store.files is not None:
            store.files.bring_weights(each.id for each, _ in job.teachers)
        _check_teachers(folder, job, study)
        for sentence in announced(folder, job, records, len(examples)):
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
    bound, _ = reopen(folder, store)
    job = replace(job, micro_scale=micro_scales(bound.study, folder).get(job.trial, 1.0))
    plan = plan_workers(1, bound.study.search.devices_per_run)
    settings = WorkerSettings(factory, bound.study, folder.path, plan, folder.logs)
    pool, name = make_pool(workers, settings), job.candidate_id(1.0)
    try:
        run_jobs(pool, display, {name: job}, "distilling")
    finally:
        pool.end()
        folder.remove_partial("distil-")
    record = folder.read_record(name)
    if not math.isfinite(record.score):
        raise TrainingError(f"{name}: its score is not a number")
    store.add_candidate(record)
    display.event(f"candidate {record.id} {score(record)}")
    needed = {record.id, *record.teachers}
    for sentence in retain(folder, store, bound.study.search.weights, needed):
        display.event(sentence)
    return folder.read_record(record.id)


def _check_teachers(folder: RunFolder, job: DistilJob, study: StudyFile) -> None:
    if study.validation.folds is not None:
        raise ConfigError(
            f"distil {job.backbone}: with validation.folds = {study.validation.folds} the public "
            "questions are among what a pupil learns from, so that nothing could score it; export "
            "the ensemble, or a soup"
        )
    absent = [each.id for each, _ in job.teachers if dropped(folder, each.id) is not None]
    if absent:
        raise MissingAssetError(
            f"the weights of {', '.join(absent)}, which would teach, were dropped or are damaged: "
            f"`autoqa retrain {study.name} {' '.join(absent)}` makes them again"
        )
