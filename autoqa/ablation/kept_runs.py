"""What experiments leave: a score for each public question, and how long the run took.

Neither weights nor predictions stay. Files are named by all that a run depends on, so that the same
run is never trained twice, whichever arm of whichever base it belongs to.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoqa.arrays import Doubles
from autoqa.ensemble.evaluation.candidate_scorer import CandidateScorer
from autoqa.errors import TrainingError
from autoqa.files import write_atomically
from autoqa.recipes import TrainingRun
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import DamagedError
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run of an experiment.

    Attributes:
        scores: By the study's metric on each public question, float64 ``[Q]``.
        seconds: What the whole run took, also where parts of it were trained before.
    """

    scores: Doubles
    seconds: float


@dataclass(frozen=True)
class KeptRuns:
    """The runs of a study's experiments.

    Attributes:
        folder: The study's run folder.
        version: Fingerprint of all that a run depends on besides its parameters.
        examples: The public questions.
        log_read: Told, before a score is kept, which run has read the public part.
    """

    folder: RunFolder
    version: str
    examples: tuple[Example, ...]
    log_read: Callable[[str], None]
    _known: dict[Path, KeptRun] = field(default_factory=dict, repr=False)

    @property
    def scratch(self) -> RunFolder:
        """Where runs leave their candidates until they are scored."""
        return RunFolder(self.folder.ablation / f"runs-{self.version}")

    def get(self, backbone: str, run: TrainingRun, fraction: float) -> KeptRun | None:
        """What is kept of a run; ``None`` where it is not there, or damaged.

        Args:
            backbone: Name in the study file.
            run: What was trained.
            fraction: Point of the run.
        """
        name = self._identity(backbone, run, fraction)
        path = self._path(name)
        if path not in self._known:
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                scores, seconds = np.array(content["scores"], np.float64), float(content["seconds"])
            except (OSError, ValueError, TypeError, KeyError):
                return None
            if content.get("run") != name or scores.shape != (len(self.examples),):
                return None
            self._known[path] = KeptRun(scores, seconds)
        return self._known[path]

    def take(self, record: CandidateRecord, seconds: float) -> None:
        """Scores the candidate that a run left in :attr:`scratch`, and removes it.

        Args:
            record: The candidate.
            seconds: What the whole run took.

        Raises:
            TrainingError: Its score is not a number.
            DataError: Its predictions are damaged.
        """
        if not math.isfinite(record.score):
            raise TrainingError(f"{record.id}: its score is not a number")
        scorer = CandidateScorer(self.scratch, self.examples, windows=self.folder)
        scores = scorer.of(record)
        name = self._identity(record.backbone, record.training_run, record.fraction)
        self.log_read(f"{record.training_run.key}")
        text = json.dumps({"run": name, "seconds": seconds, "scores": scores.tolist()})
        self._path(name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(name), text + "\n")
        shutil.rmtree(self.scratch.candidate(record.id))

    def take_left(self) -> None:
        """Takes what was complete when an earlier command died, and removes what was not."""
        for name in self.scratch.candidate_ids():
            try:
                record = self.scratch.read_record(name)
                self.take(record, record.seconds)
            except (DamagedError, TrainingError):
                continue
        shutil.rmtree(self.scratch.candidates, ignore_errors=True)

    def _identity(self, backbone: str, run: TrainingRun, fraction: float) -> list[Any]:
        return [self.version, backbone, run.key, fraction]

    def _path(self, name: list[Any]) -> Path:
        digest = hashlib.sha256(json.dumps(name).encode()).hexdigest()[:16]
        return self.scratch.path / "scores" / f"{digest}.json"
