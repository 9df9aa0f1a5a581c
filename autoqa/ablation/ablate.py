"""Ablations: which runs to train next, and when to stop."""

from dataclasses import dataclass, field

from autoqa.ablation.experiment import AblationOptions, Experiment
from autoqa.ablation.result import Ablation, keep
from autoqa.analysis.finished_run import StudyRun
from autoqa.errors import TrainingError
from autoqa.recipes import TrainingRun
from autoqa.scores.sequential import looks
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.job_queue import run_jobs
from autoqa.supervision.reported import leading
from autoqa.training.jobs import Job, TrialJob
from autoqa.training.messages import TrialFinished
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool

EARLY = "it ended early; the same command goes on"


def ablate(
    run: StudyRun,
    options: AblationOptions,
    display: Display,
    *,
    factory: Factory = training_factory,
) -> Ablation:
    """Trains base and arms with one seed after another, and says what helps.

    Runs are kept, so that the same call goes on where it stopped, and other arms of the same base
    cost no further run of it. They are no candidates: neither leaderboard nor selection knows
    them. Each counts as a read of the public part.

    Args:
        run: The study's run; nothing else may write to its folder meanwhile.
        options: What is to be found out.
        display: What people see.
        factory: Makes, inside a worker, the function that runs one job.

    Returns:
        What is known of the base, with what was known before.

    Raises:
        ConfigError: Base, factor or arm do not exist, there is nothing to ablate, or the study file
            is not the one that the study was searched with.
        MissingAssetError: Weights or data are not on this machine.
        DataError: The data are not those of then.
        NothingFeasibleError: No candidate's predictions are on this machine.
        TrainingError: A run of the base failed.
        MachineFaultError: The disk is full or broken.
        SearchInterruptedError: A signal asked for the end; what was complete is kept.
        AutoqaError: Another process leads the study.
    """
    with leading(run.store, "ablation", display) as display:
        budget = Budget(options.minutes)
        experiment = Experiment.of(run, options)
        experiment.kept.take_left()
        plan = experiment.workers(options.workers)
        settings = WorkerSettings(
            factory, experiment.bound.study, run.folder.path, plan, run.folder.logs
        )
        pool, ended = make_pool(LOCAL_PROCESS, settings), EARLY
        try:
            ended = _Rounds(experiment, options, pool, display, budget).run()
        finally:
            pool.end()
            result = keep(run.folder, experiment.result(ended))
        return result


@dataclass
class _Rounds:
    """The runs of one command.

    Attributes:
        trained: Runs that were begun.
        skipped: Why a run was not begun.
    """

    experiment: Experiment
    options: AblationOptions
    pool: WorkerPool
    display: Display
    budget: Budget
    trained: int = 0
    skipped: str = ""
    _jobs: dict[str, TrialJob] = field(default_factory=dict)
    _number: int = -1

    def run(self) -> str:
        """Trains for one look after the other; says why it ended."""
        for seeds in looks(self.options.seeds):
            arms = self.experiment.open_arms()
            if not arms:
                break
            runs = self.experiment.missing(arms, seeds)
            self._jobs = {name: self._job(run) for name, run in runs.items()}
            run_jobs(
                self.pool,
                self.display,
                dict[str, Job](self._jobs),
                "training",
                self._finished,
                wanted=self._wanted,
                failed=self._failed,
                budget=self.budget,
            )
            if self.skipped:
                return self.skipped
        if self.experiment.open_arms():
            return f"all seeds up to {max(looks(self.options.seeds))} are trained"
        return "more seeds would say no more"

    def _job(self, run: TrainingRun) -> TrialJob:
        base = self.experiment.base
        self._number += 1
        return TrialJob(
            trial=self._number,
            backbone=base.backbone,
            run=run,
            run_folder=self.experiment.kept.scratch.path,
            micro_scale=base.micro_scale,
            # Without a speed, no run is made smaller to end in time: it would be another one.
            deadline=self.budget.deadline,
            only=base.fraction,
        )

    def _wanted(self, name: str) -> bool:
        recipe = self._jobs[name].run.recipe
        if recipe.hash in self.experiment.failures:
            return False
        if self.options.runs is not None and self.trained >= self.options.runs:
            self.skipped = f"runs = {self.options.runs} are used up; the same command goes on"
            return False
        left, usual = self.budget.left(), self.experiment.seconds(recipe) or 0.0
        if left is not None and left <= usual:
            self.skipped = "no further run fits into the time left; the same command goes on"
            return False
        self.trained += 1
        return True

    def _finished(self, name: str, message: TrialFinished) -> None:
        job, kept = self._jobs[name], self.experiment.kept
        steps = message.trained_steps + message.reused_steps
        seconds = message.seconds * steps / max(1, message.trained_steps)
        record = kept.scratch.read_record(job.candidate_id(self.experiment.base.fraction))
        try:
            kept.take(record, seconds)
        except TrainingError as error:
            self._failed(name, str(error), "TrainingError")
            return
        self.display.event(f"{name}: {record.metric} {record.score:.3f}")

    def _failed(self, name: str, reason: str, error: str) -> None:
        if error == "OutOfTimeError" or self.budget.overrun():
            self.skipped = "the time is over; the same command goes on"
            return
        recipe = self._jobs[name].run.recipe
        if recipe == self.experiment.base.run.recipe:
            raise TrainingError(f"{name}, with which all others are compared: {reason}")
        self.experiment.failures[recipe.hash] = reason
        self.display.event(f"{name} failed: {reason}")
