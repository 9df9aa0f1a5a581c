"""The state of a run, and one optimizer step of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import mul
from typing import Any

import numpy as np
import torch

from autoqa.api import TrainingProtocol
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.modeling.forward import budget_batches
from autoqa.modeling.load import resolve_precision
from autoqa.modeling.loss import chance_loss, training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch, make_batch
from autoqa.parallel.peers import Alone, OtherRanks
from autoqa.training.adversary import make_adversary
from autoqa.training.lower_layers import LowerLayers
from autoqa.training.optimizer import make_optimizer
from autoqa.training.schedule import LearningRate
from autoqa.training.weight_average import WeightAverage

TOKEN_BUDGET = {"cpu": 4096, "cuda": 32768}
"""Most tokens per forward pass while training; a larger effective batch is accumulated."""


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Loss of one optimizer step, in nats.

    Attributes:
        loss: Mean over the windows of the effective batch.
        chance: Loss of a model that finds all allowed tokens of them equally likely.
    """

    loss: float
    chance: float


class Engine:
    """Model, optimizer, schedule and average of one run.

    Nothing random is carried from step to step: dropout is seeded by (run seed, step, rank), so
    that a run that goes on from a checkpoint draws what an uninterrupted one draws.

    On several devices each process has an engine. Rank 0's deals out the windows of each step, all
    add up their gradients, and each takes the same optimizer step.

    Args:
        model: In training mode.
        protocol: How the backbone is fine-tuned.
        learning_rate: Peak rate of the encoder.
        rates: The schedule.
        seed: The run's seed.
        micro_scale: Factor on the tokens of a forward pass; below 1 where memory ran out.
        loss: Mean loss over the windows of a batch; left out, that of the schedule's method.
        chance: The same for a model that knows nothing.
        peers: The other processes that train the same run.

    Attributes:
        step: Optimizer steps done.
        lower: Gives what the model's frozen layers make of windows; ``None`` trains through them.
    """

    def __init__(
        self,
        model: SpanModel,
        protocol: TrainingProtocol,
        learning_rate: float,
        rates: LearningRate,
        *,
        seed: int,
        micro_scale: float = 1.0,
        loss: Callable[[Batch], torch.Tensor] | None = None,
        chance: Callable[[Batch], float] = chance_loss,
        peers: OtherRanks | None = None,
    ) -> None:
        self.model, self.protocol, self.rates, self.seed = model, protocol, rates, seed
        self.peers = peers or Alone()
        self.step = 0
        self.lower: LowerLayers | None = None
        self._learning_rate = learning_rate
        device = model.device
        budget = protocol.micro_tokens or TOKEN_BUDGET[device.type]
        # R-Drop keeps what two passes computed until both are differentiated.
        passes = 2 if rates.method.rdrop else 1
        self._budget = max(1, round(budget * micro_scale / passes))
        self._loss = loss or partial(training_loss, model, method=rates.method)
        self._chance = chance
        self._adversary = make_adversary(model, rates.method)
        self._dtype = resolve_precision(protocol.precision, device)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._dtype == torch.float16)
        self._optimizer = make_optimizer(model, protocol, learning_rate)
        self._trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self._parameters = list(self._trained.values())
        self.average = WeightAverage(model, rates.method.averaging, rates.steps)

    def train(self, windows: Windows) -> StepLoss:
        """One optimizer step over an effective batch, on all devices of the run."""
        self.gather()
        with self.peers.working():
            return self.learn(self.peers.deal(windows, lower=self.lower is not None), len(windows))

    def gather(self) -> None:
        """Has the run's other devices begin where this engine stands, if they do not yet."""
        if not self.peers.gathered:
            self.peers.gather(self.tensors(), self.facts())

    def learn(self, windows: Windows, total: int) -> StepLoss:
        """This device's part of a step; micro-batches weigh as many windows as they hold.

        Args:
            windows: This device's of the effective batch; none is a part, too.
            total: Windows of the whole batch.

        Returns:
            The loss of the whole batch.
        """
        if self.step == self.rates.restart_at:
            self._optimizer = make_optimizer(self.model, self.protocol, self._learning_rate)
        torch.manual_seed(self.seed * 1_000_003 + self.step + (self.peers.rank << 48))
        factor = self.rates.factor(self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        batches = [
            make_batch(take(windows, rows), self.model.device)
            for rows in budget_batches(windows.lengths, np.arange(len(windows)), self._budget)
        ]
        if self.lower is not None:
            batches = [self.lower.fill(batch) for batch in batches]
        shares = [len(batch.lengths) / total for batch in batches]
        if self._adversary is None:
            loss = self._backward(batches, shares)
        else:
            # Half of each gradient, so that the clipping threshold means what it always does.
            with self._adversary.watching():
                loss = self._backward(batches, shares, 0.5)
            self.peers.sum_gradients(self._parameters)
            with self._adversary.perturbing(batches):
                if self.peers.rank:  # what all have in common counts once
                    self._optimizer.zero_grad(set_to_none=True)
                self._backward(batches, shares, 0.5)
        self.peers.sum_gradients(self._parameters)
        chance = sum(map(mul, map(self._chance, batches), shares))
        loss, chance = self.peers.summed((loss, chance))
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._parameters, self.protocol.max_grad_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update(self.step)
        return StepLoss(loss, chance)

    def _backward(
        self, batches: Sequence[Batch], shares: Sequence[float], weight: float = 1.0
    ) -> float:
        """Adds the gradients of the loss, times a weight, to those there are; gives the loss."""
        device, loss = self.model.device, 0.0
        self._scaler.scale(torch.zeros((), device=device))  # needed even where there is no batch
        for batch, share in zip(batches, shares, strict=True):
            with torch.autocast(device.type, self._dtype, self._dtype != torch.float32):
                part = self._loss(batch) * share
            torch.autograd.backward(self._scaler.scale(part * weight))
            loss += float(part.detach())
        return loss

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that :meth:`restore` needs, beside ``facts``; frozen weights are left out."""
        tensors = {f"weight.{name}": parameter for name, parameter in self._trained.items()}
        for name, parameter in self._trained.items():
            for key, value in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors | {f"average.{name}": t for name, t in self.average.tensors().items()}

    def facts(self) -> dict[str, Any]:
        """The plain numbers of the state."""
        return {"step": self.step, "scaler": self._scaler.state_dict()}

    def restore(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Takes the state of another engine for the same beginning of a run."""
        self.peers.dismiss()
        averaged: dict[str, torch.Tensor] = {}
        with torch.no_grad():
            for full, tensor in tensors.items():
                kind, _, name = full.partition(".")
                if kind == "weight":
                    self._trained[name].copy_(tensor)
                elif kind == "average":
                    averaged[name] = tensor
                else:
                    key, _, name = name.partition(".")
                    parameter = self._trained[name]
                    # The step count of fused AdamW lives where its parameter does.
                    self._optimizer.state[parameter][key] = tensor.to(parameter.device)
        self.average.restore(averaged)
        self._scaler.load_state_dict(dict(facts["scaler"]))
        self.step = int(facts["step"])
