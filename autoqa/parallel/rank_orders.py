"""What the process that leads a run tells the others, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from autoqa.api import Precision
from autoqa.arrays import Floats
from autoqa.features.windows import Windows


@dataclass(frozen=True, slots=True)
class Begin:
    """Make this engine; its state is sent next.

    Attributes:
        plan: How; known to those who make engines, see :mod:`autoqa.training.engine_plan`.
        facts: The plain numbers of the state.
        state: Name, shape and type of each tensor of it, in the order in which they are sent.
    """

    plan: object
    facts: Mapping[str, Any]
    state: tuple[tuple[str, torch.Size, torch.dtype], ...]


@dataclass(frozen=True, slots=True)
class Learn:
    """Take a step.

    Attributes:
        windows: This rank's share of the effective batch; it may be empty.
        total: Windows of the whole batch.
        lower: Whether to begin above the frozen layers.
    """

    windows: Windows
    total: int
    lower: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Predict this rank's share of the forward passes, with weights that are sent next.

    Attributes:
        windows: All of them.
        precision: What matrix products are computed in.
    """

    windows: Windows
    precision: Precision


@dataclass(frozen=True, slots=True)
class Rest:
    """Let go of the model until there is another."""


Order = Begin | Learn | Ask | Rest


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is there, and meets the others."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Logits of a rank's share, float32 ``[T]`` each; zeros elsewhere."""

    start: Floats
    end: Floats


@dataclass(frozen=True, slots=True)
class Failed:
    """The process gives up.

    Attributes:
        reason: What people are shown.
        error: Class name of the exception, as in ``TrialFailed``.
    """

    reason: str
    error: str


Reply = Ready | Answered | Failed
