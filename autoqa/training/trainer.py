"""One run of one recipe: load, train stage after stage, keep the model at its points."""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path

from autoqa import recipes
from autoqa.errors import OutOfTimeError, StoppedError
from autoqa.modeling.load import check_length
from autoqa.modeling.training_setup import load_for_training
from autoqa.training.adaptation import MaskedLanguageStage
from autoqa.training.batches import Teach, long_questions
from autoqa.training.checkpoint import Checkpoints
from autoqa.training.engine_plan import EnginePlan
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Emit, Note, Progress, RecipeCard, TrialFinished
from autoqa.training.prepared_stages import prepared_stages
from autoqa.training.progress import Pace
from autoqa.training.schedule import LearningRate
from autoqa.training.state_key import state_key
from autoqa.training.time_left import MIN_SHARE_DONE
from autoqa.training.workbench import ReadyBackbone, Workbench

CHECKPOINT_SECONDS = 300.0
"""Seconds between two checkpoints of a run: what an interruption may cost at most."""


class Trainer:
    """One run from a recipe to its points.

    Args:
        job: What to train.
        bench: What this worker has made already; its data are what is trained on.
        emit: Takes the messages to the parent.
        points: Shares of the run's steps, above 0 up to 1; it ends at the last one.
        keep: Called at each of them, with the number of the stage and the share.
        every: Whether ``keep`` must be called at each of them, so that the run cannot go on from
            a checkpoint beyond the first, nor end at another where the time is over; else those
            that a checkpoint lies beyond are left out.
        teach: Given the stages, gives those to train on: with soft targets, say.
        weights: What the model begins with, head included; the backbone's if left out.
    """

    def __init__(
        self,
        job: TrialJob,
        bench: Workbench,
        emit: Emit,
        points: Sequence[float],
        keep: Callable[["Trainer", int, float], None],
        *,
        every: bool,
        teach: Teach = list,
        weights: Path | None = None,
    ) -> None:
        self.job, self.bench, self.emit, self._keep = job, bench, emit, keep
        self.begin, self._stop, self._owed = time.perf_counter(), bench.stop, False
        self._evaluation = job.evaluation
        recipe, seed = job.run.recipe, job.run.seed
        self.ready: ReadyBackbone = bench.backbone(job.backbone)
        protocol, longest = self.ready.bound.protocol, max(each.length for each in recipe.stages)
        check_length(self.ready.folder, longest, "the recipe's last stage")
        self._begin("loading")
        head_seed = seed if job.head_seed is None else job.head_seed
        kind, folder = self.ready.bound.spec.kind, weights or self.ready.folder
        model = load_for_training(folder, protocol, head_seed, method=recipe.method, kind=kind)
        stages = prepared_stages(job, bench, emit, similar_lengths=not model.packs)
        self.stages = teach(stages)
        steps = tuple(stage.steps(protocol.batch_size) for stage in self.stages)
        self.rates = LearningRate(recipe.method, steps, protocol.warmup_ratio)
        self.steps = self.rates.steps
        plan = EnginePlan(
            folder=folder,
            protocol=protocol,
            method=recipe.method,
            head_seed=head_seed,
            learning_rate=job.run.learning_rate,
            rates=self.rates,
            seed=seed,
            micro_scale=job.micro_scale,
            kind=kind,
        )
        self.engine = plan.plain(model, bench.peers(plan))
        self.lower = bench.lower_layers(model, protocol)
        self.pace, self.reused, self.saved = Pace(self.rates.warmup), 0, time.monotonic()
        self.due = {self.step_of(point): point for point in sorted(points)}
        self._every, self._latest = every, min(self.due) - 1 if every else self.steps
        quota = round(bench.bound.study.search.checkpoints * 1024**3)
        self.checkpoints = Checkpoints(
            bench.checkpoints, quota, lambda text: emit(Note(job.trial, text))
        )
        self.adaptation = MaskedLanguageStage.of(job, bench, model, self.checkpoints, emit)

    @property
    def windows(self) -> int:
        """Windows of the whole run."""
        return sum(len(stage.windows) for stage in self.stages)

    def step_of(self, point: float) -> int:
        """Steps done at a share of the run."""
        return max(1, round(point * self.steps))

    @property
    def shared_steps(self) -> int:
        """Steps of the stages that other runs may fork from."""
        return max((end for n, end in enumerate(self.rates.ends) if self._shared(n)), default=0)

    def _shared(self, stage: int) -> bool:
        """Whether other runs may fork from the end of a stage."""
        return self.checkpoints.quota > 0 and self.rates.shared(stage)

    def key(self, stage: int) -> str:
        """Names the state at the end of a stage by all that influenced it."""
        before = None if self.adaptation is None else self.adaptation.key
        return state_key(self.job, self.bench, self.rates, stage, before)

    def _announce(self) -> None:
        """Sends the recipe card."""
        before = [] if self.adaptation is None else [self.adaptation.sentence]
        batch = self.ready.bound.protocol.batch_size
        sizes = [recipes.StageSize(stage.portions, stage.steps(batch)) for stage in self.stages]
        asked = self.ready.shortened, self.ready.group.length
        long = long_questions(self.job.run.recipe.stages, self.stages, asked)
        sharing = self.rates.sharing(self.checkpoints.quota > 0)
        warnings = (*self.ready.unread, *long)
        notes = [*warnings, *before, *sharing, *self.engine.model.notes]
        lines = recipes.full(self.job.run, sizes, self.job.windows_per_second, notes)
        self.emit(RecipeCard(self.job.trial, tuple(lines), warnings))

    def _train_stages(self) -> None:
        """Goes through all stages; ends early at the deadline, with a snapshot if most is done."""
        if not self.resume() and self.adaptation is not None:
            self.adaptation.run(self.engine, CHECKPOINT_SECONDS)
        if self._owed and not self._take(self.due[self.engine.step]):
            return
        for number, end in enumerate(self.rates.ends):
            if self.engine.step >= end:
                continue
            if not self._shared(number):
                if not self._train(number):
                    return
                continue
            name = f"stage-{self.key(number)}"
            with self.checkpoints.claim(name, self._wait):
                if self._restore(name):
                    continue
                if not self._train(number):
                    return
                self._save(name)

    @property
    def run_name(self) -> str:
        """Name of this run's own checkpoint."""
        return f"run-{self.key(len(self.stages) - 1)}"

    def resume(self) -> bool:
        """Goes on from where this very run was left, or from the longest beginning there is.

        Returns:
            Whether it does; whoever asks again is told the same.
        """
        if self.reused or not self.checkpoints.quota:
            return self.reused > 0
        numbers = filter(self._shared, reversed(range(len(self.stages))))
        names = [self.run_name, *(f"stage-{self.key(number)}" for number in numbers)]
        return any(map(self._restore, names))

    def _restore(self, name: str) -> bool:
        self._begin("loading")
        checkpoint = self.checkpoints.load(name)
        if checkpoint is None:
            return False
        step, owed = checkpoint[1]["step"], "owed" in checkpoint[1]
        if step - owed > self._latest or (owed and step not in self.due):
            return False
        self.reused, self._owed = self.reused + step - self.engine.step, owed
        self.engine.restore(*checkpoint)
        kind = "where it was interrupted" if name.startswith("run-") else "a stage trained before"
        self.emit(
            Note(
                self.job.trial,
                f"goes on from {kind}: {self.engine.step} of {self.steps} steps are done",
            )
        )
        return True

    def _save(self, name: str, *, owed: bool = False) -> None:
        """Writes a checkpoint; ``owed`` if the point where it stands is still to be kept."""
        self._begin("saving")
        facts = self.engine.facts() | ({"owed": True} if owed else {})
        problem = self.checkpoints.save(name, self.engine.tensors(), facts)
        self.saved = time.monotonic()
        if problem is not None:
            self.emit(Note(self.job.trial, problem))

    def _wait(self) -> None:
        """Reports while another worker trains the same stage; gives up at the deadline."""
        self._stop.check()
        if self._late():
            raise OutOfTimeError("The time was over while another trial trained the same stage.")
        if self.pace.due():
            self.emit(self.progress("waiting", 0, self.engine.step, self.steps))

    def _late(self) -> bool:
        return self.job.deadline is not None and time.time() > self.job.deadline

    def _train(self, number: int) -> bool:
        """Trains the rest of a stage; false if the time was over before its end."""
        size = self.ready.bound.protocol.batch_size
        first = self.rates.ends[number] - self.rates.stages[number]
        # Windows that are never seen again are computed faster in a batch.
        self.engine.lower = None if self.stages[number].never_again else self.lower
        self.engine.gather()
        for windows in self.stages[number].batches(size, self.engine.step - first):
            begin = time.perf_counter()
            cost = self.engine.train(windows)
            self.pace.count(cost, len(windows), time.perf_counter() - begin)
            step = self.engine.step
            self.pace.check(cost, step, self.steps, self.job.run.learning_rate)
            if step == self.steps or self.pace.due():
                self.emit(self.progress("training", number, step, self.steps))
            if step in self.due:
                if not self._take(self.due[step]):
                    return False
            elif self._late():
                self._cut(step)
                return False
            save = self._stop.asked or time.monotonic() - self.saved > CHECKPOINT_SECONDS
            if save and step < self.steps:
                self._save(self.run_name)
            self._stop.check()
        return True

    def _take(self, point: float) -> bool:
        """Keeps the model at a point of the run; false if it is the last one."""
        step, begin = self.engine.step, time.monotonic()
        try:
            self._keep(self, bisect_left(self.rates.ends, step), point)
        except StoppedError:
            self._save(self.run_name, owed=step in self.due)
            raise
        self._owed, self._evaluation = False, time.monotonic() - begin
        return step < max(self.due)

    def _cut(self, step: int) -> None:
        if step >= MIN_SHARE_DONE * self.steps and not self._every:
            self._take(step / self.steps)
            return
        self._save(self.run_name)
        raise OutOfTimeError(f"the time was over after {step / self.steps:.0%} of the run")

    def evaluated(self, stage: int, done: int, total: int) -> None:
        """Says how far an evaluation has come, and ends it where the run is asked to stop."""
        self.emit(self.progress("evaluating", stage, done, total))
        self._stop.check()

    def _begin(self, phase: str) -> None:
        self.emit(Progress(self.job.trial, phase, stages=len(self.job.run.recipe.stages)))

    def progress(self, phase: str, stage: int, step: int, steps: int) -> Progress:
        """How far the run has come."""
        stages, pace = len(self.stages), self.pace
        place = (self.job.trial, phase, stage + 1, stages, step, steps)
        return Progress(*place, pace.loss, pace.windows_per_second, self._left())

    def _left(self) -> float:
        """Seconds until the end of the run: the rest of its windows, and of its evaluations."""
        undone = 1 - self.engine.step / self.steps
        evaluations = sum(step > self.engine.step for step in self.due)
        return undone * self.windows / self.pace.windows_per_second + self._evaluation * evaluations

    def run(self) -> None:
        """Trains, and says at the beginning what is trained and at the end that it is over.

        Raises:
            OutOfTimeError: The time was over before most of the run was done.
            StoppedError: It was asked to stop.
        """
        with self._stop.heeded():
            self._announce()
            self._train_stages()
            self.checkpoints.remove(self.run_name)
        self.emit(
            TrialFinished(
                self.job.trial,
                time.perf_counter() - self.begin,
                trained_steps=self.engine.step - self.reused,
                reused_steps=self.reused,
                shared_steps=self.shared_steps,
            )
        )
