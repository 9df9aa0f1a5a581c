"""One run of one recipe: load, train stage after stage, leave candidates behind."""

import time
from dataclasses import asdict
from functools import partial

from autoqa import recipes
from autoqa.errors import OutOfTimeError
from autoqa.modeling.load import check_length
from autoqa.modeling.training_setup import load_for_training
from autoqa.training.batches import PreparedStage, prepare_stage
from autoqa.training.checkpoint import Checkpoints, key_of
from autoqa.training.engine import Engine
from autoqa.training.messages import (
    Emit,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFinished,
    TrialJob,
)
from autoqa.training.progress import Pace
from autoqa.training.schedule import LearningRate
from autoqa.training.snapshot import take_snapshot
from autoqa.training.workbench import ReadyBackbone, Workbench

CHECKPOINT_SECONDS = 300.0
"""Seconds between two checkpoints of a run: what an interruption may cost at most."""


class _Run:
    def __init__(self, job: TrialJob, bench: Workbench, emit: Emit) -> None:
        self.job, self.bench, self.emit = job, bench, emit
        self.begin = time.perf_counter()
        recipe, seed = job.run.recipe, job.run.seed
        self.ready: ReadyBackbone = bench.backbone(job.backbone)
        protocol = self.ready.bound.protocol
        longest = max(stage.length for stage in recipe.stages)
        check_length(self.ready.folder, longest, "the recipe's last stage")
        emit(Progress(job.trial, "loading", stages=len(recipe.stages)))
        model = load_for_training(self.ready.folder, protocol, seed, method=recipe.method)
        emit(Progress(job.trial, "features", stages=len(recipe.stages)))
        self.stages: list[PreparedStage] = [
            prepare_stage(
                stage,
                bench.bound.augmentations(stage),
                bench.data,
                partial(bench.encoded, job.backbone),
                self.ready.tokenizer,
                epochs=protocol.epochs,
                seed=(seed, number),
                similar_lengths=not model.packs,
            )
            for number, stage in enumerate(recipe.stages)
        ]
        steps = tuple(stage.steps(protocol.batch_size) for stage in self.stages)
        self.rates = LearningRate(recipe.method, steps, protocol.warmup_ratio)
        self.engine = Engine(
            model,
            protocol,
            job.run.learning_rate,
            self.rates,
            seed=seed,
            micro_scale=job.micro_scale,
        )
        self.lower = bench.lower_layers(model, protocol)
        self.pace = Pace(self.rates.warmup)
        self.reused = 0
        fractions = (*bench.bound.study.search.snapshots, 1.0) if job.only is None else (job.only,)
        self.due = {max(1, round(f * sum(steps))): f for f in sorted(fractions)}
        quota = round(bench.bound.study.search.checkpoints * 1024**3)
        self.checkpoints = Checkpoints(bench.checkpoints, quota)
        self.saved = time.monotonic()

    @property
    def steps(self) -> int:
        return self.rates.steps

    @property
    def shared_steps(self) -> int:
        """Steps of the stages that other runs may fork from."""
        ends = enumerate(self.rates.ends)
        return max((end for stage, end in ends if self._shared(stage)), default=0)

    def _shared(self, stage: int) -> bool:
        """Whether other runs may fork from the end of a stage."""
        return self.checkpoints.quota > 0 and self.rates.shared(stage)

    def key(self, stage: int) -> str:
        """Names the state at the end of a stage by all that influenced it."""
        stages = self.job.run.recipe.stages[: self.rates.horizon(stage) + 1]
        return key_of(
            {
                "backbone": self.bench.backbone_key(self.job.backbone),
                "learning_rate": self.job.run.learning_rate,
                "seed": self.job.run.seed,
                "method": asdict(self.job.run.recipe.method),
                "stages": [asdict(each) for each in stages],
                "data": [
                    self.bench.portion_key(self.job.backbone, portion)
                    for each in stages
                    for portion in each.portions
                ],
                "stage": stage,
                "closes": self.rates.closes(stage),
            }
        )

    def announce(self) -> None:
        """Sends the recipe card."""
        protocol = self.ready.bound.protocol
        sizes = [
            recipes.StageSize(stage.portions, stage.steps(protocol.batch_size))
            for stage in self.stages
        ]
        lines = recipes.full(
            self.job.run,
            sizes,
            self.job.windows_per_second,
            [*self._sharing(), *self.engine.model.notes],
        )
        self.emit(RecipeCard(self.job.trial, tuple(lines)))

    def _sharing(self) -> list[str]:
        """Says whether other trials may fork from this one's stages, and why not."""
        count = sum(map(self._shared, range(len(self.stages))))
        if count:
            stages = "first stage is" if count == 1 else f"first {count} stages are"
            return [f"shared: the {stages} trained once for all recipes that begin alike"]
        if len(self.stages) == 1:
            return []
        method = self.job.run.recipe.method
        why = (
            "search.checkpoints is 0"
            if not self.checkpoints.quota
            else "the mean of the last quarter's weights depends on the whole recipe"
            if method.averaging == "swa"
            else f"the {method.schedule} schedule depends on the length of the whole recipe"
        )
        return [f"not shared with recipes that begin alike: {why}"]

    def train(self) -> None:
        """Goes through all stages; ends early, with a snapshot, at the deadline."""
        self._resume()
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

    def _resume(self) -> None:
        """Goes on from where this very run was left, or from the longest beginning there is."""
        if not self.checkpoints.quota or self._restore(self.run_name):
            return
        for number in reversed(range(len(self.stages))):
            if self._shared(number) and self._restore(f"stage-{self.key(number)}"):
                return

    def _restore(self, name: str) -> bool:
        checkpoint = self.checkpoints.load(name)
        if checkpoint is None:
            return False
        before = self.engine.step
        self.engine.restore(*checkpoint)
        self.reused += self.engine.step - before
        kind = "where it was interrupted" if name.startswith("run-") else "a stage trained before"
        self.emit(
            Note(
                self.job.trial,
                f"goes on from {kind}: {self.engine.step} of {self.steps} steps are done",
            )
        )
        return True

    def _save(self, name: str) -> None:
        problem = self.checkpoints.save(name, self.engine.tensors(), self.engine.facts())
        self.saved = time.monotonic()
        if problem is not None:
            self.emit(Note(self.job.trial, problem))

    def _wait(self) -> None:
        """Reports while another worker trains the same stage; gives up at the deadline."""
        if self._late():
            raise OutOfTimeError("The time was over while another trial trained the same stage.")
        if self.pace.due():
            self.emit(self._progress("waiting", 0, self.engine.step, self.steps))

    def _late(self) -> bool:
        return self.job.deadline is not None and time.time() > self.job.deadline

    def _train(self, number: int) -> bool:
        """Trains the rest of a stage; false if the time was over before its end."""
        size = self.ready.bound.protocol.batch_size
        first = self.rates.ends[number] - self.rates.stages[number]
        # Windows with masked tokens are never seen twice, and computed faster in a batch.
        self.engine.lower = None if self.stages[number].maskers else self.lower
        for windows in self.stages[number].batches(size, self.engine.step - first):
            begin = time.perf_counter()
            cost = self.engine.train(windows)
            self.pace.count(cost, len(windows), time.perf_counter() - begin)
            step = self.engine.step
            self.pace.check(cost, step, self.steps, self.job.run.learning_rate)
            if step == self.steps or self.pace.due():
                self.emit(self._progress("training", number, step, self.steps))
            if step in self.due:
                self._snapshot(number, self.due[step])
                if self.due[step] == self.job.only:
                    return False
            elif self._late():
                self._snapshot(number, step / self.steps)
                return False
            if time.monotonic() - self.saved > CHECKPOINT_SECONDS and step < self.steps:
                self._save(self.run_name)
        return True

    def _progress(self, phase: str, stage: int, step: int, steps: int) -> Progress:
        return Progress(
            trial=self.job.trial,
            phase=phase,
            stage=stage + 1,
            stages=len(self.stages),
            step=step,
            steps=steps,
            loss=self.pace.loss,
            windows_per_second=self.pace.windows_per_second,
        )

    def _snapshot(self, stage: int, fraction: float) -> None:
        with self.engine.average.swapped():
            record = take_snapshot(
                self.engine.model,
                self.job,
                self.ready,
                self.bench.public,
                fraction=fraction,
                seconds=time.perf_counter() - self.begin,
                windows_per_second=self.pace.windows_per_second,
                progress=lambda done, total: self.emit(
                    self._progress("evaluating", stage, done, total)
                ),
            )
        self.emit(SnapshotTaken(self.job.trial, record))


def run_trial(job: TrialJob, bench: Workbench, emit: Emit) -> None:
    """Trains one recipe and sends its candidates.

    A run that was interrupted goes on from its last checkpoint, and a run that begins like an
    earlier one forks from that one's stages where the schedule allows it; both end with the very
    weights that an undisturbed run ends with.

    Args:
        job: What to train.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        TrainingError: The loss stopped being a number, or the run collapsed.
        OutOfTimeError: The time was over while another run trained a stage that this one needs.
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        ConfigError: A window length does not fit the questions or the model.
    """
    begin = time.perf_counter()
    run = _Run(job, bench, emit)
    run.announce()
    run.train()
    run.checkpoints.remove(run.run_name)
    emit(
        TrialFinished(
            job.trial,
            time.perf_counter() - begin,
            trained_steps=run.engine.step - run.reused,
            reused_steps=run.reused,
            shared_steps=run.shared_steps,
        )
    )
