"""What a worker is told, and what it tells back; plain values that travel between processes.

This module imports neither torch nor transformers: the parent that samples and records uses it.
"""

from dataclasses import dataclass
from pathlib import Path

from autoqa.store.records import CandidateRecord
from autoqa.types import Recipe


@dataclass(frozen=True, slots=True)
class TrialJob:
    """One run of one recipe.

    Attributes:
        trial: Optuna's trial number.
        backbone: Name in the study file.
        recipe: What to train on, in which order.
        learning_rate: Peak rate of the encoder.
        seed: Seeds data order, augmentations, dropout and the head.
        run_folder: The study's folder; candidates go below it.
        deadline: Seconds since the epoch at which the run stops after its current step, takes a
            last snapshot if it has none, and ends; ``None`` for no limit.
    """

    trial: int
    backbone: str
    recipe: Recipe
    learning_rate: float
    seed: int
    run_folder: Path
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent about once a second while a trial runs."""

    trial: int
    phase: str
    stage: int = 0
    stages: int = 0
    step: int = 0
    steps: int = 0
    loss: float = float("nan")
    windows_per_second: float = float("nan")


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A candidate's files are complete on disk and its public score is known."""

    trial: int
    candidate: CandidateRecord


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """The run is over and every snapshot was sent."""

    trial: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TrialFailed:
    """The run gave up: one sentence for people, and the traceback for the log file.

    Attributes:
        trial: Optuna's trial number.
        reason: What people are shown.
        traceback: What the log file gets.
        error: Class name of the exception, by which the parent decides whether to try again.
    """

    trial: int
    reason: str
    traceback: str
    error: str = ""


Message = Progress | SnapshotTaken | TrialFinished | TrialFailed
