"""What becomes of a search's trials, told to all trackers that its study asks for."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autoqa.config.tracker_tables import TrackersTable
from autoqa.recipes import TrainingRun
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.tracking.base import TrackerPlace, TrialEnd
from autoqa.tracking.outlet import Outlet
from autoqa.training.messages import Progress


@dataclass
class Trackers:
    """Tells trackers of trials that this process leads; one that fails is off, with one warning.

    Attributes:
        study: Name of the study.
        outlets: The trackers.
        warn: Takes a sentence for people.
        every: Seconds between two points of a trial's curve of losses: each costs a tracker some
            milliseconds.
    """

    study: str = ""
    outlets: Sequence[Outlet] = ()
    warn: Callable[[str], None] = print
    every: float = 5.0
    _due: dict[int, float] = field(default_factory=dict)
    _last: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        study: str,
        tables: TrackersTable,
        folder: RunFolder,
        warn: Callable[[str], None],
    ) -> "Trackers":
        """Those that a study asks for; their processes begin with the first trial.

        Args:
            study: Its name.
            tables: Their options.
            folder: The run folder.
            warn: Takes a sentence for people.
        """
        outlets = [
            Outlet(
                name,
                TrackerPlace(study, folder.path / "trackers", options),
                folder.logs / f"tracker-{name}.log",
            )
            for name, options in tables.named().items()
        ]
        return cls(study, outlets, warn)

    def began(self, trial: int, backbone: str, run: TrainingRun, params: Mapping[str, Any]) -> None:
        """A trial was handed to a worker."""
        tags = {"study": self.study, "backbone": backbone, "recipe_hash": run.recipe.hash}
        given = {**params, "learning_rate": run.learning_rate, "seed": run.seed}
        self._tell("began", trial, f"{self.study} trial {trial} ({backbone})", given, tags)
        self._last[trial] = 0

    def progress(self, trial: int, progress: Progress) -> None:
        """A worker has come so far; what is no training is left out."""
        now = time.monotonic()
        if now < self._due.get(trial, 0.0):
            self._check()
        elif progress.phase == "training" and math.isfinite(progress.loss):
            self._due[trial] = now + self.every
            speed = progress.windows_per_second
            values = {"loss": progress.loss, "windows_per_second": speed}
            self._metrics(trial, progress.step, {**values, "stage": float(progress.stage)})

    def card(self, trial: int, lines: Sequence[str]) -> None:
        """The recipe card of a trial."""
        self._tell("text", trial, "recipe-card.txt", "\n".join(lines))

    def snapshot(self, trial: int, record: CandidateRecord) -> None:
        """A candidate of a trial, with its public scores."""
        languages = {f"{record.metric}_{key}": value for key, value in record.by_language.items()}
        half = (
            {} if record.half_width is None else {f"{record.metric}_half_width": record.half_width}
        )
        scores = {**record.scores, **languages, **half}
        values = {f"public_{name}": value for name, value in scores.items()}
        self._metrics(trial, self._last.get(trial, 0), {**values, "fraction": record.fraction})
        text = json.dumps(record.as_json(), ensure_ascii=False, indent=1)
        self._tell("text", trial, f"candidate-{record.id}.json", text)

    def ended(self, trial: int, end: TrialEnd, reason: str = "") -> None:
        """A trial is over, for a reason that people are told where it failed."""
        if trial not in self._last:
            return
        if reason:
            self._tell("text", trial, "reason.txt", reason)
        self._tell("ended", trial, end)
        self._last.pop(trial)
        self._due.pop(trial, None)

    def close(self, at_most: float = math.inf) -> None:
        """Lets trackers write what they were given, all at the same time.

        Args:
            at_most: Seconds to wait, if fewer than the trackers' own.
        """
        for outlet in self.outlets:
            outlet.end()
        for outlet in self.outlets:
            self._warn(outlet, outlet.close(min(at_most, outlet.limits.close)))

    def _metrics(self, trial: int, step: int, values: Mapping[str, float]) -> None:
        self._last[trial] = max(step, self._last.get(trial, 0))
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._tell("metrics", trial, self._last[trial], finite)

    def _tell(self, method: str, *arguments: Any) -> None:
        for outlet in self.outlets:
            outlet.call(method, *arguments)
        self._check()

    def _check(self) -> None:
        for outlet in self.outlets:
            self._warn(outlet, outlet.problem())

    def _warn(self, outlet: Outlet, reason: str) -> None:
        if reason:
            self.warn(f"the tracker {outlet.name} is off, and the search goes on: {reason}")
