"""Trains the runs of an ensemble's members again, with validation rows among the training rows.

Finished models stay below ``refits`` in the run folder, named by their rows and seed, so that
whoever asks again waits for nothing.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from autoqa.data import StudyData
from autoqa.errors import ConfigError
from autoqa.modeling.soup import average_models
from autoqa.registry import BoundStudy
from autoqa.searching.setup import fingerprint, reopen
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import is_whole
from autoqa.store.refit_record import RefitRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import fingerprint as rows_fingerprint
from autoqa.supervision.display import Display, duration
from autoqa.supervision.job_queue import run_jobs
from autoqa.supervision.reported import leading
from autoqa.training.jobs import AnswerJob, Job, RefitJob, TrialJob
from autoqa.training.refit_plan import Points, RefitPlan, drawn, expected_seconds, plan_refit
from autoqa.trials.optuna_study import micro_scales
from autoqa.types import Example
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import plan_workers


@dataclass
class Refitter:
    """Refits the members of one ensemble; see :func:`refitting`.

    Attributes:
        folder: The run folder of the study that this process leads.
        bound: The study with its plugins.
        data: Its data, without what a refit adds.
        plan: What belongs to the members.
        pool: The workers, none of them running.
        display: What people see.
        seeds: How often each run is trained, with seeds that count up from its own.
    """

    folder: RunFolder
    bound: BoundStudy
    data: StudyData
    plan: RefitPlan
    pool: WorkerPool
    display: Display
    seeds: int
    _marks: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The one that validates."""
        return self.bound.study.validation.source

    def added(self, held: Sequence[str] = ()) -> tuple[list[Example], list[Example]]:
        """Rows of the public and of the private part that some run may draw now.

        Args:
            held: Documents whose rows stay out.
        """
        public, private = (
            drawn(self.plan.recipes, self.source, [e for e in part if e.document not in held])
            for part in (self.data.public, self.data.private)
        )
        return public, private

    def member_seeds(self, member: str) -> tuple[int, ...]:
        """The seeds that a member's runs are trained with, sorted."""
        own = {self._points[name].seed for name in self.plan.members[member]}
        return tuple(sorted({seed + more for seed in own for more in range(self.seeds)}))

    def missing(self, held: Sequence[str] = ()) -> list[tuple[int, Points]]:
        """What is not there yet: which of the seeds, and points of one run.

        Args:
            held: Documents whose rows stay out.
        """
        left = [
            (more, tuple(point for point in points if not self._is_there(point, more, held)))
            for more in range(self.seeds)
            for points in self.plan.runs
        ]
        return [(more, points) for more, points in left if points]

    def seconds(self, folds: Sequence[Sequence[str]] = ((),)) -> float:
        """About how long training what is missing takes.

        Args:
            folds: The documents that each refit leaves out.
        """
        return sum(
            expected_seconds(
                [points for _, points in self.missing(held)],
                self.data,
                self.data.refit(self.source, held),
                workers=len(self.pool.workers),
            )
            for held in folds
        )

    def train(self, held: Sequence[str] = ()) -> dict[str, list[Path]]:
        """Trains what is missing.

        Args:
            held: Documents whose rows are not trained on.

        Returns:
            Model folders by member; its weights are the mean of theirs.

        Raises:
            TrainingError: A run failed; those that were complete are kept.
            SearchInterruptedError: A signal asked for the end; runs go on from their checkpoints.
        """
        jobs = {
            f"trial {points[0].trial}, seed {points[0].seed + more}": self._job(points, more, held)
            for more, points in self.missing(held)
        }
        run_jobs(self.pool, self.display, jobs, "refitting")
        return {
            member: [
                self._place(more, held) / name / "model"
                for more in range(self.seeds)
                for name in names
            ]
            for member, names in self.plan.members.items()
        }

    def answers(self, held: Sequence[str]) -> dict[str, Path]:
        """Trains without some documents and asks the models about them.

        The answers are kept; the models, which are of no other use, are not.

        Returns:
            The folder of each member's logits, see :func:`autoqa.training.refit.answer`.

        Raises:
            TrainingError: A run failed, or its worker died.
            SearchInterruptedError: A signal asked for the end.
        """
        targets = self._answer_places(held)
        if self.answered(held):
            return targets
        scratch = self._answers(held) / "models"
        shutil.rmtree(scratch, ignore_errors=True)
        jobs: dict[str, Job] = {}
        for member, models in self.train(held).items():
            average_models(models, scratch / member)
            of = self._points[self.plan.members[member][-1]]
            jobs[member] = AnswerJob(
                of.trial, of.backbone, scratch / member, tuple(held), targets[member]
            )
        run_jobs(self.pool, self.display, jobs, "asking")
        shutil.rmtree(scratch)
        for more in range(self.seeds):
            shutil.rmtree(self._place(more, held))
        return targets

    def answered(self, held: Sequence[str]) -> bool:
        """Whether all answers about some documents are there, and whole."""
        return all(map(is_whole, self._answer_places(held).values()))

    def key(self, held: Sequence[str], *content: object) -> str:
        """Twelve hex digits of the study, all rows that are trained on, and what else is given."""
        rows = {**self._rows, self.source: self._source_rows(held)}
        text = json.dumps([fingerprint(self.bound.study), rows, *content], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def content(self) -> list[object]:
        """All that decides on the members' weights, beside the rows; JSON values."""
        points = [
            (point.id, point.training_run.key, point.fraction, point.backbone)
            for point in self._points.values()
        ]
        return [self.seeds, sorted(self.plan.members.items()), points]

    def sentence(self, seconds: float, folds: int = 1) -> str:
        """``refit: 3 runs × 2 seeds with 120 rows more of target, about 24 min``."""
        runs = "1 run" if len(self.plan.runs) == 1 else f"{len(self.plan.runs)} runs"
        seeds = f" × {self.seeds} seeds" if self.seeds > 1 else ""
        times = f" × {folds} folds" if folds > 1 else ""
        time = f"about {duration(seconds)}" if seconds else "trained before"
        rows = sum(map(len, self.added()))
        which = f"{rows} rows more of {self.source}" if folds == 1 else "the rows of the others"
        return f"refit: {runs}{seeds}{times} with {which}, {time}"

    def _job(self, points: Sequence[CandidateRecord], more: int, held: Sequence[str]) -> RefitJob:
        record = points[0]
        like = TrialJob(
            trial=record.trial,
            backbone=record.backbone,
            run=replace(record.training_run, seed=record.seed + more),
            run_folder=self.folder.path,
            micro_scale=self._micro_scales.get(record.trial, 1.0),
            windows_per_second=record.windows_per_second,
            head_seed=record.seed,
        )
        return RefitJob(
            like=like,
            points=tuple((point.id, point.fraction) for point in points),
            target=self._place(more, held),
            held=tuple(held),
        )

    def _place(self, more: int, held: Sequence[str]) -> Path:
        return self.folder.refits / self.key(held, more)

    def _answers(self, held: Sequence[str]) -> Path:
        return self.folder.refits / f"answers-{self.key(held, self.content)}"

    def _answer_places(self, held: Sequence[str]) -> dict[str, Path]:
        return {member: self._answers(held) / member for member in self.plan.members}

    def _is_there(self, point: CandidateRecord, more: int, held: Sequence[str]) -> bool:
        run = replace(point.training_run, seed=point.seed + more)
        wanted = RefitRecord(point.id, point.backbone, run.key, point.fraction)
        return wanted.is_in(self._place(more, held) / point.id)

    @cached_property
    def _points(self) -> dict[str, CandidateRecord]:
        return {point.id: point for points in self.plan.runs for point in points}

    @cached_property
    def _micro_scales(self) -> dict[int, float]:
        return micro_scales(self.bound.study, self.folder)

    @cached_property
    def _rows(self) -> dict[str, str]:
        return {
            name: rows_fingerprint(rows, ())
            for name, rows in sorted(self.data.train.items())
            if name != self.source
        }

    def _source_rows(self, held: Sequence[str]) -> str:
        if tuple(held) not in self._marks:
            rows = self.data.refit(self.source, held).train[self.source]
            self._marks[tuple(held)] = rows_fingerprint(rows, ())
        return self._marks[tuple(held)]


@contextmanager
def refitting(
    folder: RunFolder,
    store: Store,
    members: Sequence[str],
    display: Display,
    *,
    seeds: int = 1,
    workers: str = LOCAL_PROCESS,
) -> Iterator[Refitter]:
    """Opens a finished study to refit members; nothing else may write to its folder meanwhile.

    Args:
        folder: The study's run folder.
        store: Its database.
        members: Ids of candidates.
        display: What people see.
        seeds: How often each run is trained.
        workers: The kind of worker.

    Raises:
        ConfigError: There are no rows to add, or the study file is not the one of then.
        DataError: A record is damaged, a recipe of another version, or the data are others.
        MissingAssetError: Weights or data are not on this machine.
        AutoqaError: Another process holds the run folder.
    """
    with leading(store, "refit", display) as display:
        records = {name: folder.read_record(name) for name in members}
        for record in list(records.values()):
            records |= {name: folder.read_record(name) for name in record.ingredients}
        bound, data = reopen(folder, store)
        plan = plan_refit(records, members, bound.study)
        side = plan_workers(bound.study.search.workers, bound.study.search.devices_per_run)
        settings = WorkerSettings(training_factory, bound.study, folder.path, side, folder.logs)
        pool = make_pool(workers, settings)
        refitter = Refitter(folder, bound, data, plan, pool, display, seeds)
        if not any(refitter.added()):
            raise ConfigError(
                f"refit without rows to add: no recipe of {', '.join(members)} draws rows in the "
                f"languages of the held-out rows of {refitter.source!r}; export them as they are"
            )
        try:
            yield refitter
        finally:
            pool.end()
