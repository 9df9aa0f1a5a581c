"""What a search has to know of trials that are over; they do not change, so each is read once."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from statistics import median
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from autoqa.searching.trial_attributes import TrialAttributes, counts

Measured = Literal["next_seconds", "windows_per_second"]
_MEASURED: tuple[Measured, ...] = ("next_seconds", "windows_per_second")


class FinishedTrials:
    """Tallies of the trials that are over.

    Args:
        history: Numbers of the trials that do not count, because they failed before the search.

    Attributes:
        settled: How many count.
        tried: How many of each backbone count.
        complete: Numbers of those that were trained to their end, or repeat one that was.
    """

    def __init__(self, history: Collection[int] = ()) -> None:
        self.settled = 0
        self.tried: Counter[str | None] = Counter()
        self.complete: set[int] = set()
        self._history = history
        self._known: set[int] = set()
        self._origins: dict[tuple[str | None, str | None], set[str | None]] = defaultdict(set)
        self._trained: dict[tuple[str | None, ...], FrozenTrial] = {}
        self._measured: dict[tuple[str | None, Measured], list[float]] = defaultdict(list)

    def take(self, trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
        """Takes in those that have ended since the last time.

        Args:
            trials: All of the study, by number.

        Returns:
            Those that are queued or running.
        """
        new = [trial for trial in trials if trial.number not in self._known]
        for trial in new:
            if trial.state.is_finished():
                self._known.add(trial.number)
                self._add(trial)
        return [trial for trial in new if not trial.state.is_finished()]

    def origins(self, backbone: str, version: str) -> set[str | None]:
        """Where parameters came from that were tried in a version of the study."""
        return set(self._origins[backbone, version])

    def trained(self, attributes: TrialAttributes) -> FrozenTrial | None:
        """The first trial that was trained to the same weights, if there is one."""
        return self._trained.get(attributes.identity)

    def usual(self, backbone: str, number: Measured) -> float | None:
        """Median of a number over a backbone's finished runs; ``None`` without any that have it."""
        measured = self._measured[backbone, number]
        return median(measured) if measured else None

    def _add(self, trial: FrozenTrial) -> None:
        attributes = TrialAttributes.of(trial)
        if trial.number not in self._history:
            self._origins[attributes.backbone, attributes.study_version].add(attributes.origin)
            if counts(trial):
                self.settled += 1
                self.tried[attributes.backbone] += 1
        if trial.state != TrialState.COMPLETE:
            return
        self.complete.add(trial.number)
        if attributes.duplicate_of is None:
            self._trained.setdefault(attributes.identity, trial)
        for number in _MEASURED:
            value = getattr(attributes, number)
            if value is not None:
                insort(self._measured[attributes.backbone, number], float(value))
