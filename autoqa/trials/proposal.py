"""What a search trains next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import optuna

from autoqa.recipes import TrainingRun

GoOn = Callable[[str, TrainingRun, Sequence[str] | None], TrainingRun]
"""Says what a run begins with: given the backbone, the run as it would begin with the pretrained
weights, and ids of what it began with where it is tried again, gives the run as it is trained."""


def from_pretrained(_backbone: str, run: TrainingRun, _before: Sequence[str] | None) -> TrainingRun:
    """Has every run begin with the pretrained weights."""
    return run


@dataclass(frozen=True)
class Proposal:
    """A trial to run.

    Attributes:
        trial: Optuna's trial, running.
        backbone: Name in the study file.
        run: What to train.
        micro_scale: Factor on the tokens of a forward pass.
    """

    trial: optuna.Trial
    backbone: str
    run: TrainingRun
    micro_scale: float
