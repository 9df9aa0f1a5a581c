"""What a worker is told to do; plain values that travel between processes.

This module imports neither torch nor transformers: the parent that samples and records uses it.
"""

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
        windows_per_second: How fast this backbone was trained before, for the recipe card, and to
            tell whether the run ends before the deadline.
        evaluation: Seconds that a snapshot takes; 0 if nobody knows.
        deadline: Seconds since the epoch at which the run stops after its current step, takes a
            last snapshot if most of it is done, and ends; ``None`` for no limit. A run that would
            not end before it is made smaller when it begins.
        only: The one point of the run to make a candidate of, and to end at; ``None`` for all
            points of the study.
        head_seed: Seeds the answer head in place of the run's seed: means of weights need runs
            that begin alike.
        row: JSON of the trial's row in the database, to be kept with its candidates.
    """

    trial: int
    backbone: str
    run: TrainingRun
    run_folder: Path
    micro_scale: float = 1.0
    windows_per_second: float | None = None
    evaluation: float = 0.0
    deadline: float | None = None
    only: float | None = None
    head_seed: int | None = None
    row: str = ""

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


@dataclass(frozen=True, slots=True)
class RefitJob:
    """A run to train again with validation rows among its training rows; only weights are kept.

    Attributes:
        like: What to train; of its fields about points and time none counts.
        points: Id of each candidate to make again, and its point of the run.
        target: Each model goes to the folder of its candidate's id there.
        held: Documents whose validation rows are not trained on.
    """

    like: TrialJob
    points: tuple[tuple[str, float], ...]
    target: Path
    held: tuple[str, ...] = ()

    @property
    def trial(self) -> int:
        """Optuna's number of the trial that it repeats."""
        return self.like.trial

    @property
    def backbone(self) -> str:
        """Name in the study file."""
        return self.like.backbone


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """A refitted model to ask about the validation rows that it was not trained on.

    Attributes:
        trial: That of the candidate.
        backbone: Name in the study file.
        model: Folder in Hugging Face layout.
        documents: Whose windows, of both parts.
        target: Folder to make for the logits.
    """

    trial: int
    backbone: str
    model: Path
    documents: tuple[str, ...]
    target: Path


@dataclass(frozen=True, slots=True)
class TimingJob:
    """A run whose first steps a worker times; see :mod:`autoqa.training.timing`.

    Attributes:
        backbone: Name in the study file.
        run: What to train some steps of.
        run_folder: The study's folder.
    """

    backbone: str
    run: TrainingRun
    run_folder: Path

    @property
    def trial(self) -> int:
        """No trial's number."""
        return -1


Job = TrialJob | SoupJob | RefitJob | AnswerJob | TimingJob
"""What a worker can be assigned."""
