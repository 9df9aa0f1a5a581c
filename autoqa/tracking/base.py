"""What a tracker takes, and how each of them is found."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

TrialEnd = Literal["finished", "failed", "interrupted"]

TRACKERS: dict[str, tuple[str, str]] = {
    "mlflow": ("autoqa.tracking.mlflow_runs:MlflowRuns", "mlflow"),
    "wandb": ("autoqa.tracking.wandb_runs:WandbRuns", "wandb"),
    "tensorboard": ("autoqa.tracking.event_files:EventFiles", "tensorboard"),
}
"""Name to (where its class is, the extra that brings its package)."""


@dataclass(frozen=True, slots=True)
class TrackerPlace:
    """Where a tracker writes.

    Attributes:
        study: Name of the study.
        folder: The run folder's own folder for trackers.
        options: The tracker's table of the study file.
    """

    study: str
    folder: Path
    options: Mapping[str, Any]


class Tracker(Protocol):
    """Takes what becomes of trials; runs in a process of its own, and may raise whatever it likes.

    It is made with a :class:`TrackerPlace`.
    """

    def began(self, trial: int, name: str, params: dict[str, Any], tags: dict[str, str]) -> None:
        """A trial begins.

        Args:
            trial: Its number.
            name: For people.
            params: What it is trained with: numbers, texts and switches.
            tags: What it belongs to.
        """

    def metrics(self, trial: int, step: int, values: dict[str, float]) -> None:
        """Values at an optimizer step; steps of a trial never decrease."""

    def text(self, trial: int, filename: str, content: str) -> None:
        """A small file that belongs to a trial."""

    def ended(self, trial: int, end: TrialEnd) -> None:
        """A trial is over."""

    def close(self) -> None:
        """Nothing follows; what is not written yet is written now."""


def make_tracker(name: str, place: TrackerPlace) -> Tracker:
    """Opens a tracker.

    Raises:
        ImportError: Its package is not installed.
    """
    module, kind = TRACKERS[name][0].split(":")
    tracker: Tracker = getattr(importlib.import_module(module), kind)(place)
    return tracker
