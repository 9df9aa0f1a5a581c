"""Averages of the weights along a run, for snapshots to take in place of the last weights."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from autoqa.recipes import Averaging

MOST_DECAY = 0.999
"""Bound on the decay of the moving average: it forgets over some thousand steps."""

SWA_SHARE = 0.25
"""Last part of a run that the plain mean is taken over."""


class WeightAverage:
    """A running average of a model's trainable weights, in float32 as they are.

    ``ema`` keeps an exponential moving average; after step n it has decayed by
    ``min(MOST_DECAY, (1 + n) / (10 + n))`` (the warm-up of TensorFlow's ExponentialMovingAverage),
    so short runs soon forget where they began. ``swa`` is the plain mean of the weights after each
    step in the last quarter of the run (as stochastic weight averaging, Izmailov et al. 2018,
    arXiv:1803.05407, but at the run's own learning rate); before that, and with ``none``, the
    average is the weights as they stand, and nothing is kept.

    Args:
        model: Its parameters that are trained are averaged; frozen ones need no average.
        averaging: Which average.
        steps: Optimizer steps of the whole run.
    """

    def __init__(self, model: nn.Module, averaging: Averaging, steps: int) -> None:
        self._averaging = averaging
        self._first = steps - math.ceil(steps * SWA_SHARE) + 1
        self._trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.begin()

    def begin(self) -> None:
        """Begins with the weights as they stand."""
        self._average = self._copies() if self._averaging == "ema" else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after an optimizer step.

        Args:
            step: How many steps were done, so 1 after the first.
        """
        if self._averaging == "none" or (self._averaging == "swa" and step < self._first):
            return
        if self._averaging == "swa" and not self._average:
            self._average = self._copies()
            return
        decay = min(MOST_DECAY, (1 + step) / (10 + step))
        share = 1 - decay if self._averaging == "ema" else 1 / (step - self._first + 1)
        torch._foreach_lerp_(
            [self._average[name] for name in self._trained], list(self._trained.values()), share
        )

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The model holds the average inside, and its own weights again afterwards.

        Tensors change places, nothing is copied; the weights must not be trained inside.
        """
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def tensors(self) -> dict[str, torch.Tensor]:
        """The average by the names of the model's parameters, for a checkpoint; not copied."""
        return dict(self._average)

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Goes on from what :meth:`tensors` gave at the same step of an equal run."""
        self._average = {
            name: tensor.to(self._trained[name].device, copy=True)
            for name, tensor in tensors.items()
        }

    def _copies(self) -> dict[str, torch.Tensor]:
        return {name: p.detach().clone() for name, p in self._trained.items()}

    def _swap(self) -> None:
        for name, tensor in self._average.items():
            parameter = self._trained[name]
            parameter.data, self._average[name] = tensor, parameter.data
