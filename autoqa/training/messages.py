"""What a worker tells back; plain values that travel between processes.

This module imports neither torch nor transformers: the parent that samples and records uses it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from autoqa.planning.run_timing import RunTiming
from autoqa.store.candidate_record import CandidateRecord


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What a job computes on, and the memory that is taken.

    Attributes:
        device: ``"CPU"``, or a GPU as CUDA numbers it on its machine, as in ``"GPU 3"``.
        threads: That a forward pass is shared out to, on a CPU; 0 on a GPU.
        memory: Bytes: of the worker's process on a CPU, of all processes on a GPU.
        total: Bytes that the GPU has; 0 on a CPU.
    """

    device: str
    threads: int
    memory: int
    total: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent about once a second while a job runs, by the loops that do the work.

    Attributes:
        trial: Optuna's trial number.
        phase: What is done, as in "while training".
        stage: Counts from 1; 0 outside of the stages.
        stages: How many the recipe has.
        step: Steps done of the loop that this phase is.
        steps: How many it has; 0 where the phase is no loop, and nothing may be heard for long.
        loss: Mean over recent steps, in nats.
        windows_per_second: Speed of training.
        left: Seconds until the run's end at this speed; not a number where nobody knows.
        device: Filled in by the worker where a job leaves it out.
    """

    trial: int
    phase: str
    stage: int = 0
    stages: int = 0
    step: int = 0
    steps: int = 0
    loss: float = float("nan")
    windows_per_second: float = float("nan")
    left: float = float("nan")
    device: DeviceUse | None = None


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """What the run is about to do; sent before the first step.

    Attributes:
        trial: Optuna's trial number.
        lines: For people.
        warnings: Those of the lines that say what may be wrong with it.
    """

    trial: int
    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the run that people should know, in a sentence."""

    trial: int
    text: str


@dataclass(frozen=True, slots=True)
class SnapshotTaken:
    """A candidate's files are complete on disk and its public score is known."""

    trial: int
    candidate: CandidateRecord


@dataclass(frozen=True, slots=True)
class SoupTried:
    """A soup that is not kept was scored on the public part."""

    trial: int
    id: str
    score: float


@dataclass(frozen=True, slots=True)
class BackboneTimed:
    """What a run takes on this worker, beside whatever its neighbours do."""

    trial: int
    timing: RunTiming


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """The job is over and every candidate was sent.

    Attributes:
        trial: Optuna's trial number.
        seconds: From the job's arrival.
        trained_steps: Optimizer steps that this run did.
        reused_steps: Steps that it took over from a checkpoint.
        shared_steps: Steps that a run with the same beginning need not do any more.
    """

    trial: int
    seconds: float
    trained_steps: int = 0
    reused_steps: int = 0
    shared_steps: int = 0

    @property
    def next_seconds(self) -> float:
        """What a run like this one takes from now on, when it forks from what this one left."""
        steps = self.trained_steps + self.reused_steps - self.shared_steps
        return self.seconds * steps / max(1, self.trained_steps) if steps > 0 else self.seconds


@dataclass(frozen=True, slots=True)
class TrialFailed:
    """The run gave up: one sentence for people, and the traceback for the log file.

    Attributes:
        trial: Optuna's trial number.
        reason: What people are shown.
        traceback: What the log file gets.
        error: Class name of the exception, by which the parent decides whether to try again;
            :data:`autoqa.errors.OUT_OF_MEMORY` for every way in which memory runs out,
            :data:`autoqa.errors.DISK_FAULT` for a disk that is full, read-only or broken.
    """

    trial: int
    reason: str
    traceback: str
    error: str = ""


Message = (
    Progress
    | RecipeCard
    | Note
    | SnapshotTaken
    | SoupTried
    | BackboneTimed
    | TrialFinished
    | TrialFailed
)

Emit = Callable[[Message], None]
"""Takes the messages of a run; training may call it from any thread."""
