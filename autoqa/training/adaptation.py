"""The masked-language stage: before all others, an encoder learns the target's kind of text.

Continued pretraining on the task's own texts, after Gururangan et al. 2020, Don't Stop Pretraining
(arXiv:2004.10964). It knows nothing of the recipe's stages and rates, so that all recipes of a
study whose methods agree on it share one.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from autoqa.config.checks import target_sources
from autoqa.errors import DataError, OutOfTimeError, TrainingError
from autoqa.features.cut import cut
from autoqa.features.encode import Encoded
from autoqa.features.select import concatenate, take
from autoqa.features.windows import Windows
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import context_tokens
from autoqa.recipes import Method
from autoqa.training.batches import PreparedStage
from autoqa.training.checkpoint import Checkpoints, key_of
from autoqa.training.engine import Engine
from autoqa.training.engine_plan import EnginePlan, MaskedWords
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Emit, Note, Progress
from autoqa.training.progress import Pace
from autoqa.training.schedule import LearningRate
from autoqa.training.workbench import Workbench

RATE = 0.5
"""Learning rate of the stage as a share of the protocol's."""

_SEED = 0x6D6C6D
"""Keeps what is drawn here apart from what the stages draw."""


class MaskedLanguageStage:
    """One run's masked-language stage.

    Args:
        job: The run.
        bench: Data and tokens.
        model: What is trained, as the method set it up.
        checkpoints: Where the stage is kept for other runs, and its state for this one.
        emit: Takes the messages to the parent.

    Raises:
        DataError: There is no text.
        ConfigError: The tokenizer has no token that could stand for a hidden one.

    Attributes:
        steps: Optimizer steps.
    """

    def __init__(
        self,
        job: TrialJob,
        bench: Workbench,
        model: SpanModel,
        checkpoints: Checkpoints,
        emit: Emit,
    ) -> None:
        self._job, self._bench, self._model = job, bench, model
        # A run of other seeds that begins with this one's head begins with its encoder, too.
        self._seed = job.run.seed if job.head_seed is None else job.head_seed
        self._checkpoints, self._emit = checkpoints, emit
        self._method = job.run.recipe.method
        self._ready = bench.backbone(job.backbone)
        self._protocol = self._ready.bound.protocol
        self._sources = target_sources(bench.bound.study)
        self._stage = self._prepare()
        self._tokens = np.unique(self._stage.windows.input_ids[context_tokens(self._stage.windows)])
        self._mask_id, self._waited = self._ready.tokenizer.mask_id, Pace(warmup=0)
        self.steps = self._stage.steps(self._protocol.batch_size)

    @classmethod
    def of(
        cls, job: TrialJob, bench: Workbench, model: SpanModel, kept: Checkpoints, emit: Emit
    ) -> "MaskedLanguageStage | None":
        """The run's stage, if its method has one."""
        if not job.run.recipe.method.mlm_epochs:
            return None
        return cls(job, bench, model, kept, emit)

    def _prepare(self) -> PreparedStage:
        """Windows of the target's distinct texts, in random order."""
        pools = [self._bench.encoded(self._job.backbone, source) for source in self._sources]
        seed = (self._seed, _SEED)
        parts = list(self._passes(pools))
        windows = concatenate(parts) if parts else None
        if windows is None or not len(windows):
            raise DataError(
                f"mlm_epochs = {self._method.mlm_epochs:g}: {', '.join(self._sources)} has no text "
                "to train on; set mlm_epochs = 0."
            )
        order = np.random.default_rng(seed).permutation(len(windows))
        return PreparedStage(
            windows=take(windows, order),
            portions=(),
            augmentations=(),
            tokenizer=self._ready.tokenizer,
            seed=(*seed, 1),
            similar_lengths=not self._model.packs,
        )

    def _passes(self, pools: list[Encoded]) -> Iterator[Windows]:
        """Each text once per pass, beside one of its questions; the last pass may be a part."""
        epochs = self._method.mlm_epochs
        for turn in range(math.ceil(epochs)):
            for number, pool in enumerate(pools):
                rng = np.random.default_rng((self._seed, _SEED, number, turn))
                rows = rng.permutation(len(pool))
                # Equal contexts share their tokens, so where those begin tells texts apart.
                rows = rows[np.unique(pool.context[rows, 0], return_index=True)[1]]
                count = math.ceil(min(1.0, epochs - turn) * len(rows))
                yield cut(pool.take(rng.permutation(rows)[:count]), self._protocol.length, 0)

    @property
    def key(self) -> str:
        """Names the weights at the end of the stage by all that influenced them."""
        method = self._method
        return key_of(
            {
                "backbone": self._bench.backbone_key(self._job.backbone),
                "seed": self._seed,
                "masked language": [method.mlm_epochs, method.mlm_whole_words],
                "begins with": [method.head, method.reinit_layers],
                "data": [
                    self._bench.data_key(self._job.backbone, source) for source in self._sources
                ],
            }
        )

    @property
    def sentence(self) -> str:
        """What it does, for the recipe card."""
        words = " of whole words" if self._method.mlm_whole_words else ""
        return (
            f"before stage 1: masked-language training{words} on texts of "
            f"{', '.join(self._sources)}: {len(self._stage.windows):,} windows, {self.steps:,} "
            f"steps, learning rate {RATE * self._protocol.learning_rate:g}"
        )

    def run(self, engine: Engine, save_after: float) -> None:
        """Brings the model to the end of the stage: from a checkpoint, or by training.

        Args:
            engine: Of the stages that follow, before its first step.
            save_after: Seconds between two checkpoints.

        Raises:
            OutOfTimeError: The time was over first; what was done is kept if checkpoints are.
            TrainingError: The loss stopped being a number.
        """
        if not self._checkpoints.quota:
            self._train(save_after)
        else:
            name = f"stage-{self.key}"
            with self._checkpoints.claim(name, self._wait):
                found = self._checkpoints.load(name)
                if found is not None:
                    engine.restore(*found)
                    self._say("goes on from a masked-language stage trained before")
                else:
                    self._train(save_after)
                    kept = {k: v for k, v in engine.tensors().items() if k.startswith("weight.")}
                    self._save(name, kept, engine.facts())
                    self._checkpoints.remove(self._unfinished)
        engine.average.begin()

    def _train(self, save_after: float) -> None:
        protocol, pace = self._protocol, Pace(warmup=0)
        saved = time.monotonic()
        with self._engine() as engine:
            found = self._checkpoints.load(self._unfinished) if self._checkpoints.quota else None
            if found is not None:
                engine.restore(*found)
                self._say(
                    f"goes on with its masked-language stage: {engine.step} of {self.steps} steps "
                    "are done"
                )
            for windows in self._stage.batches(protocol.batch_size, engine.step):
                begin = time.perf_counter()
                cost = engine.train(windows)
                if not math.isfinite(cost.loss):
                    raise TrainingError(
                        f"The loss of the masked-language stage became {cost.loss} at step "
                        f"{engine.step} of {self.steps}; use precision fp32, or a protocol with a "
                        "lower learning_rate."
                    )
                pace.count(cost, len(windows), time.perf_counter() - begin)
                self._report(engine.step, pace)
                over = engine.step < self.steps and self._late()
                stop = self._bench.stop
                if over or stop.asked or time.monotonic() - saved > save_after:
                    self._save(self._unfinished, engine.tensors(), engine.facts())
                    saved = time.monotonic()
                stop.check()
                if over:
                    raise OutOfTimeError("The time was over in the masked-language stage.")

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """An engine for the model with a head that is there for this stage only."""
        protocol = self._protocol
        plan = EnginePlan(
            folder=self._ready.folder,
            protocol=protocol,
            method=self._method,
            head_seed=self._seed,
            learning_rate=RATE * protocol.learning_rate,
            rates=LearningRate(Method(), (self.steps,), protocol.warmup_ratio),
            seed=self._seed,
            micro_scale=self._job.micro_scale,
            masked=MaskedWords(
                tokens=tuple(self._tokens.tolist()),
                mask_id=self._mask_id,
                whole_words=self._method.mlm_whole_words,
            ),
        )
        with plan.engine(self._model, self._bench.peers(plan)) as engine:
            yield engine

    @property
    def _unfinished(self) -> str:
        """Name of the checkpoint of the stage on its way."""
        return f"run-{self.key}"

    def _save(
        self, name: str, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
    ) -> None:
        self._emit(Progress(self._job.trial, "saving"))
        problem = self._checkpoints.save(name, tensors, facts)
        if problem is not None:
            self._say(problem)

    def _say(self, sentence: str) -> None:
        self._emit(Note(self._job.trial, sentence))

    def _report(self, step: int, pace: Pace) -> None:
        if step == self.steps or pace.due():
            self._emit(
                Progress(
                    self._job.trial,
                    "adapting",
                    step=step,
                    steps=self.steps,
                    loss=pace.loss,
                    windows_per_second=pace.windows_per_second,
                )
            )

    def _wait(self) -> None:
        """Gives up at the deadline while another worker trains the same."""
        self._bench.stop.check()
        if self._waited.due():
            self._emit(Progress(self._job.trial, "waiting"))
        if self._late():
            raise OutOfTimeError(
                "The time was over while another trial trained the same masked-language stage."
            )

    def _late(self) -> bool:
        return self._job.deadline is not None and time.time() > self._job.deadline
