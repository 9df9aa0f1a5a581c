"""What an engine knows of the other processes that train the same run, if there are any."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import nn

from autoqa.api import Precision
from autoqa.arrays import Floats
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.model import SpanModel
from autoqa.parallel import collectives
from autoqa.types import ProgressCallback

Predict = Callable[..., tuple[Floats, Floats]]
"""As :func:`autoqa.modeling.forward.predict`."""


class OtherRanks(Protocol):
    """The processes of a run, seen from one of them.

    Attributes:
        rank: Which one this is; rank 0 leads, and alone decides, saves and reports.
    """

    rank: int

    @property
    def gathered(self) -> bool:
        """Whether the others have the state that this one has."""
        ...

    def gather(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Gives the others the state of this one's engine."""
        ...

    def dismiss(self) -> None:
        """Notes that the others do not have this one's state any more."""
        ...

    @contextmanager
    def working(self) -> Iterator[None]:
        """Around what all do together."""
        ...

    def deal(self, windows: Windows, *, lower: bool) -> Windows:
        """Gives each of the others its share of a step, and this one its own.

        Args:
            windows: Of the effective batch.
            lower: Whether frozen layers are left out, see
                :class:`autoqa.training.lower_layers.LowerLayers`.
        """
        ...

    def summed(self, numbers: Sequence[float]) -> list[float]:
        """Each number's sum over all."""
        ...

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Gives all the sum of their gradients."""
        ...

    def predict(
        self,
        model: SpanModel,
        windows: Windows,
        *,
        precision: Precision = "auto",
        progress: ProgressCallback | None = None,
    ) -> tuple[Floats, Floats]:
        """Asks a model as :func:`autoqa.modeling.forward.predict` does."""
        ...


class Alone:
    """A run in one process."""

    rank = 0

    @property
    def gathered(self) -> bool:
        """There are no others."""
        return True

    def gather(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Nobody to give it to."""

    def dismiss(self) -> None:
        """Nobody to lose it."""

    @contextmanager
    def working(self) -> Iterator[None]:
        """Nobody to wait for."""
        yield

    def deal(self, windows: Windows, *, lower: bool) -> Windows:  # noqa: ARG002
        """All of them."""
        return windows

    def summed(self, numbers: Sequence[float]) -> list[float]:
        """The numbers as they are."""
        return list(numbers)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """They are complete."""

    def predict(
        self,
        model: SpanModel,
        windows: Windows,
        *,
        precision: Precision = "auto",
        progress: ProgressCallback | None = None,
    ) -> tuple[Floats, Floats]:
        """As :func:`autoqa.modeling.forward.predict`."""
        return predict(model, windows, precision=precision, progress=progress)


class Follower(Alone):
    """The leader, seen from another rank, which does what it is told.

    Args:
        rank: Of this process.
        device: Where its model is.
    """

    def __init__(self, rank: int, device: torch.device) -> None:
        self.rank = rank
        self._device = device

    def summed(self, numbers: Sequence[float]) -> list[float]:
        """Each number's sum over all ranks."""
        return collectives.summed(numbers, self._device)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Gives all ranks the sum of their gradients."""
        collectives.sum_gradients(parameters)
