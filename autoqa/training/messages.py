"""What a worker is told, and what it tells back; plain values that travel between processes.

This module imports neither torch nor transformers: the parent that samples and records uses it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from autoqa.recipes import TrainingRun
from autoqa.store.candidate_record import CandidateRecord, distil_hash, distil_id, soup_id


@dataclass(frozen=True, slots=True)
class TrialJob:
    """One run for a worker to train.

    Attributes:
        trial: Optuna's trial number.
        backbone: Name in the study file.
        run: What to train.
        run_folder: The study's folder; candidates go below it.
        micro_scale: Factor on the tokens of a forward pass; below 1 where memory ran out before.
            The effective batch stays the same.
        windows_per_second: How fast this backbone was trained before, for the recipe card.
        deadline: Seconds since the epoch at which the run stops after its current step, takes a
            last snapshot if it has none, and ends; ``None`` for no limit.
        only: The one point of the run to make a candidate of, and to end at; ``None`` for all
            points of the study.
    """

    trial: int
    backbone: str
    run: TrainingRun
    run_folder: Path
    micro_scale: float = 1.0
    windows_per_second: float | None = None
    deadline: float | None = None
    only: float | None = None

    def candidate_id(self, fraction: float) -> str:
        """What the candidate of a point of the run is called."""
        return f"t{self.trial:04d}-{round(fraction * 100):03d}"

    @property
    def recipe_hash(self) -> str:
        """Stands for what the candidates of the run have learned from."""
        return self.run.recipe.hash

    @property
    def taught_by(self) -> tuple[str, ...]:
        """Ids of teachers, see :attr:`autoqa.store.candidate_record.CandidateRecord.teachers`."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DistilJob(TrialJob):
    """A run whose windows are answered by other candidates first; :mod:`autoqa.training.distil`.

    Attributes:
        teachers: Each with its seats. Their weights are in the study's folder.
    """

    teachers: tuple[tuple[CandidateRecord, int], ...]

    @classmethod
    def of(cls, job: TrialJob, teachers: tuple[tuple[CandidateRecord, int], ...]) -> "DistilJob":
        """The same run, taught."""
        return cls(**{f.name: getattr(job, f.name) for f in fields(job)}, teachers=teachers)

    def candidate_id(self, fraction: float) -> str:  # noqa: ARG002 - only the end is kept
        """The pupil's id."""
        return distil_id(self.backbone, self.run.key, self.taught_by)

    @property
    def recipe_hash(self) -> str:
        """Stands for run and teachers."""
        return distil_hash(self.run.key, self.taught_by)

    @property
    def taught_by(self) -> tuple[str, ...]:
        """Ids of the teachers, sorted, each as often as it has seats."""
        return tuple(sorted(each.id for each, seats in self.teachers for _ in range(seats)))


@dataclass(frozen=True, slots=True)
class SoupJob:
    """Candidates for a worker to average the weights of; see :mod:`autoqa.training.soup`.

    Attributes:
        ingredients: The candidates, in the order of
            :func:`autoqa.store.candidate_record.in_time`; of one backbone, group and head.
        run_folder: The study's folder, which holds their weights; the soup goes there, too.
        kept: Whether the soup becomes a candidate. Else it is only scored on the public part.
    """

    ingredients: tuple[CandidateRecord, ...]
    run_folder: Path
    kept: bool = True

    @property
    def trial(self) -> int:
        """That of the latest ingredient."""
        return self.ingredients[-1].trial

    @property
    def backbone(self) -> str:
        """Name in the study file."""
        return self.ingredients[-1].backbone

    @property
    def id(self) -> str:
        """The soup's id."""
        return soup_id(self.backbone, (each.id for each in self.ingredients))


Job = TrialJob | SoupJob
"""What a worker can be assigned."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Sent about once a second while a job runs."""

    trial: int
    phase: str
    stage: int = 0
    stages: int = 0
    step: int = 0
    steps: int = 0
    loss: float = float("nan")
    windows_per_second: float = float("nan")


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """What the run is about to do, in lines for people; sent before the first step."""

    trial: int
    lines: tuple[str, ...]


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
    jaccard: float


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
            ``OutOfMemoryError`` for every way in which memory runs out.
    """

    trial: int
    reason: str
    traceback: str
    error: str = ""


Message = Progress | RecipeCard | Note | SnapshotTaken | SoupTried | TrialFinished | TrialFailed

Emit = Callable[[Message], None]
"""Takes the messages of a run; training may call it from any thread."""
