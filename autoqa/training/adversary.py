"""Adversaries: each step is done a second time where the loss of the first is worst near by.

The first pass gives gradients; an adversary moves weights or embeddings along them, the second pass
adds the gradients there, and what was moved comes back before the optimizer's step.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn

from autoqa.errors import TrainingError
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch
from autoqa.recipes import Method

WEIGHT_RATE = 1.0
"""Norm of a step of weights before it is cut, relative to that of the weights: Kaggle's usual."""

WEIGHT_REACH = 0.005
"""Most that each weight moves, relative to itself: the size that Wu et al. found best."""

EMBEDDING_NORM = 1.0
"""Norm of what is added to the word embeddings of a window."""


class Perturbation(Protocol):
    """What is moved between the two passes of a step."""

    def watching(self) -> AbstractContextManager[None]:
        """Around the first pass and its gradients."""
        ...

    def perturbing(self, batches: Sequence[Batch]) -> AbstractContextManager[None]:
        """Around the second pass, over the same batches in the same order."""
        ...


class WeightPerturbation:
    """Adversarial weight perturbation (AWP; Wu et al. 2020, arXiv:2004.05884).

    As in Kaggle's competitions: a matrix W with gradient G moves by ``rate * |W| * G / |G|``, each
    weight w by at most ``reach * |w|``. |.| of a matrix is its Frobenius norm. The gradient is that
    of the whole effective batch, however many forward passes it takes.

    Args:
        parameters: What may be moved; those without a gradient, or with one that is no number or
            zero, stay.
        reach: Most that a weight moves, relative to itself.
        rate: Norm of the step before that bound, relative to the matrix.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], reach: float, rate: float = WEIGHT_RATE
    ) -> None:
        self._parameters, self._reach, self._rate = tuple(parameters), reach, rate

    def watching(self) -> AbstractContextManager[None]:
        """Nothing to watch: gradients stay with the weights."""
        return nullcontext()

    @contextmanager
    def perturbing(self, batches: Sequence[Batch]) -> Iterator[None]:  # noqa: ARG002
        """Moves the weights, and puts them back."""
        weights = [each for each in self._parameters if each.grad is not None]
        before = [each.detach().clone() for each in weights]
        with torch.no_grad():
            self._move(weights, before)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in zip(weights, before, strict=True):
                    weight.copy_(value)

    def _move(self, weights: Sequence[nn.Parameter], before: list[torch.Tensor]) -> None:
        gradients = [each.grad for each in weights if each.grad is not None]
        if not gradients:
            return
        ratio = torch.stack(torch._foreach_norm(before)) / torch.stack(
            torch._foreach_norm(gradients)
        )
        # Read at once: where a scaled gradient overflowed, the optimizer leaves the step out.
        usable = (ratio.isfinite() & (ratio > 0)).tolist()
        for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            if usable[number]:
                bound = self._reach * weight.abs()
                weight.add_((self._rate * ratio[number] * gradient).clamp(-bound, bound))


class EmbeddingPerturbation:
    """The fast gradient method on word embeddings (FGM; Miyato et al. 2017, arXiv:1605.07725).

    The embeddings of a window with gradient g move by ``norm * g / |g|``. They are moved behind the
    embedding table, so that a frozen table is no obstacle, and each window by itself, so that it
    does not matter which windows share a forward pass.

    Args:
        embedding: The module that looks word embeddings up: its output is ``[1, T, D]`` packed,
            ``[W, longest, D]`` padded.
        norm: |r|, over all tokens of a window.
    """

    def __init__(self, embedding: nn.Module, norm: float) -> None:
        self._embedding, self._norm = embedding, norm
        self._seen: list[torch.Tensor] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keeps what the table gives in each pass, to find gradients there."""
        self._seen = []

        def watch(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
            if output.requires_grad:
                output.retain_grad()
            else:
                output = output.detach().requires_grad_()
            self._seen.append(output)
            return output

        with self._hooked(watch):
            yield

    @contextmanager
    def perturbing(self, batches: Sequence[Batch]) -> Iterator[None]:
        """Adds to what the table gives in each pass.

        Raises:
            TrainingError: The first pass looked no embeddings up.
        """
        if not batches:  # another device has them all
            yield
            return
        if not self._seen:
            raise TrainingError(
                'adversary = "fgm" found no word embeddings to perturb in this model; take "awp", '
                "or another backbone."
            )
        # A batch takes more than one forward pass where its loss compares several.
        each = len(self._seen) // len(batches)
        steps = iter(
            [
                _normalised(seen.grad, batches[number // each].lengths, self._norm)
                for number, seen in enumerate(self._seen)
                if seen.grad is not None
            ]
        )
        self._seen = []

        def move(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
            return output + next(steps)

        with self._hooked(move):
            yield

    @contextmanager
    def _hooked(self, hook: Any) -> Iterator[None]:
        handle = self._embedding.register_forward_hook(hook)
        try:
            yield
        finally:
            handle.remove()


def _normalised(gradient: torch.Tensor, lengths: Sequence[int], norm: float) -> torch.Tensor:
    """Each window's gradient at the given norm; zeros where it is zero or no number."""
    packed = gradient.shape[0] == 1
    parts = torch.split(gradient, list(lengths), dim=1) if packed else torch.split(gradient, 1)
    moved = []
    for part in parts:
        length = part.norm()
        usable = length.isfinite() & (length > 0)
        moved.append(torch.where(usable, part * (norm / length), 0.0))
    return torch.cat(moved, dim=1 if packed else 0)


def make_adversary(model: SpanModel, method: Method) -> Perturbation | None:
    """The method's adversary for a model, if it has one."""
    if method.adversary == "awp":
        encoder = model.inner.base_model
        weights = [each for each in encoder.parameters() if each.requires_grad and each.ndim > 1]
        return WeightPerturbation(weights, WEIGHT_REACH * method.adversary_size)
    if method.adversary == "fgm":
        norm = EMBEDDING_NORM * method.adversary_size
        return EmbeddingPerturbation(model.inner.get_input_embeddings(), norm)
    return None
