"""Makes dropped or damaged files again: the same run from the same seed, up to the same point.

Those of a soup are averaged again; ingredients whose weights were dropped, too, are first trained
again beside the run's own. Runs of a later round follow those whose weights they begin with, and
pupils come last.
A candidate of which only its row is left is made again as a whole.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import FrozenTrial

from autoqa.errors import DataError
from autoqa.modeling.soup import average_models
from autoqa.scores.registry import title
from autoqa.searching.retrain_plan import (
    check_forebears,
    dropped_records,
    in_turn,
    is_lost,
)
from autoqa.searching.setup import reopen
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import checksum
from autoqa.store.predictions import left_out
from autoqa.store.run_folder import RECORD, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import (
    WEIGHTS,
    dropped,
    original,
    restore,
    restore_damaged,
)
from autoqa.supervision.display import Display
from autoqa.supervision.job_queue import run_jobs
from autoqa.supervision.reported import leading
from autoqa.training.jobs import DistilJob, TrialJob
from autoqa.trials.lost_rows import row_of
from autoqa.trials.optuna_study import trials_of
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import plan_workers


@dataclass(frozen=True, slots=True)
class Remade:
    """A candidate whose weights are there again.

    Attributes:
        id: The candidate.
        metric: The study's metric.
        score: Its public score, which is that of the first time.
        averaged: Whether it is a soup.
    """

    id: str
    metric: str
    score: float
    averaged: bool = False


def retrain(
    folder: RunFolder,
    store: Store,
    names: Sequence[str],
    display: Display,
    *,
    workers: str = LOCAL_PROCESS,
) -> list[Remade]:
    """Trains candidates again whose weights were dropped or whose files are damaged.

    Soups are averaged again.

    Each run is the one that the candidate came from: same data, recipe, learning rate, seed, and
    as many threads. Weights are taken only if they are the original ones to the last bit, because
    the stored predictions, and every choice made on them, belong to those; so are predictions.

    Args:
        folder: The study's run folder; nothing else may write to it meanwhile.
        store: Its database.
        names: Ids of candidates.
        display: What people see.
        workers: The kind of worker.

    Returns:
        What was made again, in the order of the names; candidates whose files are there and whole
        are left out.

    Raises:
        ConfigError: A candidate is unknown, or the study file is not the one it was trained with.
        MissingAssetError: Weights of a pupil's teachers, or of what a run began with, were dropped
            and are not asked for.
        DataError: The data are not those of then, or the weights came out different.
        TrainingError: A run failed.
        SearchInterruptedError: A signal asked for the end; what was complete is kept.
    """
    with leading(store, "retraining", display) as display:
        records = dropped_records(folder, store, names)
        if not records:
            return []
        check_forebears(folder, records, store.study)
        bound, _ = reopen(folder, store)
        scratch = RunFolder(folder.path / "retrained")
        trials = trials_of(bound.study, folder)
        made: dict[str, Remade] = {}
        try:
            for part in in_turn(records, store):
                # A pupil had the machine to itself, and rounding depends on the number of threads.
                count = 1 if part[0].teachers else bound.study.search.workers
                plan = plan_workers(count, bound.study.search.devices_per_run)
                settings = WorkerSettings(
                    training_factory, bound.study, folder.path, plan, folder.logs
                )
                pool = make_pool(workers, settings)
                made |= _Retraining(pool, folder, scratch, display, store.files).run(part, trials)
            return [made[record.id] for record in records]
        finally:
            shutil.rmtree(scratch.path, ignore_errors=True)


class _Retraining:
    def __init__(
        self,
        pool: WorkerPool,
        folder: RunFolder,
        scratch: RunFolder,
        display: Display,
        files: Artifacts | None,
    ) -> None:
        self.pool, self.folder, self.scratch, self.display = pool, folder, scratch, display
        self.files = files
        self.helpers: set[str] = set()
        self.done: dict[str, Remade] = {}

    def run(
        self, records: Sequence[CandidateRecord], trials: Mapping[int, FrozenTrial]
    ) -> dict[str, Remade]:
        wanted = {record.id for record in records}
        self.helpers = {
            name
            for record in records
            for name in record.ingredients
            if name not in wanted and dropped(self.folder, name) is not None
        }
        waiting = [record for record in records if not record.ingredients]
        waiting += [self.folder.read_record(name) for name in sorted(self.helpers)]
        jobs = {record.id: self._job(record, trials.get(record.trial)) for record in waiting}
        by_id = {record.id: record for record in waiting}
        run_jobs(
            self.pool, self.display, jobs, "retraining", lambda name, _: self._restore(by_id[name])
        )
        self.pool.end()
        for record in records:
            if record.ingredients:
                self._average(record)
        return self.done

    def _job(self, record: CandidateRecord, trial: FrozenTrial | None) -> TrialJob:
        seats = Counter(record.teachers).items()
        job = TrialJob(
            trial=record.trial,
            backbone=record.backbone,
            run=record.training_run,
            run_folder=self.scratch.path,
            micro_scale=(trial and TrialAttributes.of(trial).micro_scale) or 1.0,
            windows_per_second=record.windows_per_second,
            only=record.fraction,
            row="" if trial is None else row_of(trial),
        )
        teachers = tuple((self.folder.read_record(name), count) for name, count in seats)
        return DistilJob.of(job, teachers) if teachers else job

    def _restore(self, record: CandidateRecord) -> None:
        """Puts the new weights in the place of the dropped ones, if they are the same.

        Those of an ingredient that nobody asked for stay beside, for the soup.
        """
        weights = self.scratch.model(record.id) / WEIGHTS
        remade = self.scratch.read_record(record.id)
        how = f": public {title(record.metric)} {remade.score:.4f}, and {record.score:.4f} then"
        if is_lost(self.folder, record):
            self._replace(record, remade, how)
            return
        self._check_same(record, weights, how)
        if record.id not in self.helpers:
            self._put_back(record, self.scratch.candidate(record.id))

    def _replace(self, record: CandidateRecord, remade: CandidateRecord, how: str) -> None:
        """Takes all that was made again, if it scores as then: there are no sums to compare."""
        if (remade.scores, remade.by_language) != (
            record.scores,
            record.by_language,
        ):
            raise _different(record, how)
        with self.folder.writing_candidate(record.id) as partial:
            for path in self.scratch.candidate(record.id).iterdir():
                path.replace(partial / path.name)
            (partial / RECORD).write_text(record.as_text(), encoding="utf-8")
        self._told(record)

    def _average(self, record: CandidateRecord) -> None:
        """Makes the weights of a soup, all of whose ingredients' weights are somewhere."""
        sources = [
            (self.scratch if name in self.helpers else self.folder).model(name)
            for name in record.ingredients
        ]
        self.scratch.candidates.mkdir(parents=True, exist_ok=True)
        average_models(sources, self.scratch.model(record.id))
        self._check_same(record, self.scratch.model(record.id) / WEIGHTS)
        self._put_back(record, self.scratch.candidate(record.id))

    def _check_same(self, record: CandidateRecord, weights: Path, how: str = "") -> None:
        if checksum(weights) != original(self.folder, record.id):
            raise _different(record, how)

    def _put_back(self, record: CandidateRecord, made: Path) -> None:
        restore(self.folder, record.id, made / "model" / WEIGHTS)
        restore_damaged(self.folder, record.id, made)
        sentence = None if record.ingredients else left_out(self.folder, record.id)
        if sentence is not None:
            raise DataError(f"candidate {record.id} was trained again, and came out different")
        self._told(record)

    def _told(self, record: CandidateRecord) -> None:
        """Says that a candidate is there again, to people and to the shared files."""
        if self.files is not None:
            self.files.return_candidate(record.id)
        self.done[record.id] = Remade(
            record.id, record.metric, record.score, bool(record.ingredients)
        )
        self.display.event(f"candidate {record.id} is there again, the same to the last bit")


def _different(record: CandidateRecord, how: str) -> DataError:
    return DataError(
        f"candidate {record.id} came out different{how}. Other processors and other "
        "versions of libraries round differently: train it where it was trained, or "
        "search anew."
    )
