"""A trial that a worker runs."""

import math
import time
from dataclasses import dataclass, field

from autoqa.store.candidate_record import CandidateRecord
from autoqa.training.messages import Progress
from autoqa.trials.proposal import Proposal


@dataclass
class RunningTrial:
    """A trial on a worker.

    Attributes:
        proposal: What it is to train.
        started: When it was handed over, in seconds since the epoch.
        candidates: Those that have come.
        broken: Whether a snapshot has a score that is not a number.
        ends: When it will be over at its pace, in seconds since the epoch; ``None`` where nobody
            knows.
    """

    proposal: Proposal
    started: float = field(default_factory=time.time)
    candidates: list[CandidateRecord] = field(default_factory=list)
    broken: bool = False
    ends: float | None = None

    def heard(self, progress: Progress) -> None:
        """Takes in how far it is."""
        if math.isfinite(progress.left):
            self.ends = time.time() + progress.left

    @property
    def whole(self) -> float | None:
        """Seconds from begin to end at its pace so far; ``None`` where nobody knows."""
        return None if self.ends is None else self.ends - self.started

    def rest(self, usual: float) -> float:
        """Seconds until its end.

        Args:
            usual: What such a run takes, for one that has not found its pace.
        """
        ends = self.started + usual if self.ends is None else self.ends
        return max(0.0, ends - time.time())

    @property
    def number(self) -> int:
        """Optuna's number of the trial."""
        return self.proposal.trial.number
