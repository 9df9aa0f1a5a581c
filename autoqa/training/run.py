"""One run of one recipe: load, train stage after stage, leave candidates behind."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from autoqa.api import TrainingProtocol
from autoqa.errors import TrainingError
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.modeling.forward import budget_batches
from autoqa.modeling.load import load_for_training, resolve_precision
from autoqa.modeling.loss import span_loss
from autoqa.modeling.packing import SpanModel, make_batch
from autoqa.training.feed import PreparedStage, count_steps, prepare_stage
from autoqa.training.job import Message, Progress, SnapshotTaken, TrialFinished, TrialJob
from autoqa.training.optim import make_optimizer, make_schedule
from autoqa.training.snapshot import take_snapshot
from autoqa.training.workbench import ReadyBackbone, Workbench

Emit = Callable[[Message], None]

TOKEN_BUDGET = {"cpu": 4096, "cuda": 32768}
"""Most tokens per forward pass while training; a larger effective batch is accumulated."""


@dataclass(slots=True)
class _Pace:
    """What is reported while a run goes on; seconds count training only, not evaluation."""

    steps: int
    step: int = 0
    windows: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    reported: float = field(default_factory=time.monotonic)

    @property
    def windows_per_second(self) -> float:
        return self.windows / self.seconds if self.seconds else math.nan

    def count(self, loss: float, windows: int, seconds: float) -> None:
        self.step += 1
        self.windows += windows
        self.seconds += seconds
        self.loss = loss if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * loss


class _Run:
    def __init__(self, job: TrialJob, bench: Workbench, emit: Emit) -> None:
        self.job, self.bench, self.emit = job, bench, emit
        self.begin = time.perf_counter()
        self.ready: ReadyBackbone = bench.backbone(job.backbone)
        self.protocol: TrainingProtocol = self.ready.bound.protocol
        emit(Progress(job.trial, "features", stages=len(job.recipe.stages)))
        self.stages: list[PreparedStage] = [
            prepare_stage(
                stage,
                bench.bound.augmentations(stage),
                bench.data,
                partial(bench.encoded, job.backbone),
                self.ready.tokenizer,
                epochs=self.protocol.epochs,
                seed=(job.seed, number),
            )
            for number, stage in enumerate(job.recipe.stages)
        ]
        emit(Progress(job.trial, "loading", stages=len(self.stages)))
        self.model: SpanModel = load_for_training(self.ready.folder, self.protocol, job.seed)
        self.dtype = resolve_precision(self.protocol.precision, self.model.device)
        self.scaler = torch.amp.GradScaler(
            self.model.device.type, enabled=self.dtype == torch.float16
        )
        self.optimizer = make_optimizer(self.model, self.protocol, job.learning_rate)
        self.pace = _Pace(count_steps(self.stages, self.protocol.batch_size))
        self.schedule = make_schedule(self.optimizer, self.pace.steps, self.protocol.warmup_ratio)
        fractions = (*bench.bound.study.search.snapshots, 1.0)
        self.due = {max(1, round(f * self.pace.steps)): f for f in sorted(fractions)}

    def train(self) -> None:
        """Goes through all stages; ends early, with a snapshot, at the deadline."""
        for number, stage in enumerate(self.stages):
            for windows in stage.batches(self.protocol.batch_size):
                begin = time.perf_counter()
                loss = self._step(windows)
                self.pace.count(loss, len(windows), time.perf_counter() - begin)
                self._check(loss)
                self._report(number)
                if self.pace.step in self.due:
                    self._snapshot(self.due[self.pace.step])
                elif self.job.deadline is not None and time.time() > self.job.deadline:
                    self._snapshot(self.pace.step / self.pace.steps)
                    return

    def _step(self, windows: Windows) -> float:
        """One optimizer step; micro-batches weigh as many windows as they hold."""
        budget = TOKEN_BUDGET[self.model.device.type]
        total = 0.0
        order = np.arange(len(windows))
        for rows in budget_batches(windows.lengths, order, budget):
            batch = make_batch(take(windows, rows), self.model.device)
            with torch.autocast(batch.input_ids.device.type, self.dtype, self._mixed):
                start, end = self.model(batch)
            loss = span_loss(start, end, batch) * (len(rows) / len(windows))
            torch.autograd.backward(self.scaler.scale(loss))
            total += float(loss.detach())
        self.scaler.unscale_(self.optimizer)
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, self.protocol.max_grad_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        return total

    @property
    def _mixed(self) -> bool:
        return self.dtype != torch.float32

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} at step {self.pace.step} of {self.pace.steps} with "
                f"learning rate {self.job.learning_rate:g}; use a lower rate or precision fp32."
            )

    def _report(self, stage: int) -> None:
        now = time.monotonic()
        if now - self.pace.reported < 1 and self.pace.step < self.pace.steps:
            return
        self.pace.reported = now
        self.emit(self._progress("training", stage, self.pace.step, self.pace.steps))

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

    def _snapshot(self, fraction: float) -> None:
        def progress(done: int, total: int) -> None:
            self.emit(self._progress("evaluating", len(self.stages) - 1, done, total))

        record = take_snapshot(
            self.model,
            self.job,
            self.ready,
            self.bench.public,
            fraction=fraction,
            seconds=time.perf_counter() - self.begin,
            windows_per_second=self.pace.windows_per_second,
            progress=progress,
        )
        self.emit(SnapshotTaken(self.job.trial, record))


def run_trial(job: TrialJob, bench: Workbench, emit: Emit) -> None:
    """Trains one recipe and sends its candidates.

    Args:
        job: What to train.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        TrainingError: The loss stopped being a number.
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        ConfigError: A window length does not fit the questions or the model.
    """
    begin = time.perf_counter()
    run = _Run(job, bench, emit)
    run.train()
    emit(TrialFinished(job.trial, time.perf_counter() - begin))
