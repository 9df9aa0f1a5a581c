"""What a search has to know of its trials, counted; those that are over are each read once."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from statistics import median
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from autoqa.trials.trial_attributes import TrialAttributes, counts

Measured = Literal["next_seconds", "windows_per_second"]
_MEASURED: tuple[Measured, ...] = ("next_seconds", "windows_per_second")


_LATEST = 5
"""Trials that ended last, as many as people can take in."""


class TrialTally:
    """A study's trials as they were when they were last taken in; what is over does not change.

    Args:
        history: Numbers of the trials that do not count, because they failed before the search.

    Attributes:
        settled: How many count and are over.
        complete: Numbers of those that have a value.
        waiting: Those that are queued.
        running: Those that run, here or elsewhere.
        latest: Of those that are over and were not trained in another study the few that ended
            last, the latest first.
    """

    def __init__(self, history: Collection[int] = ()) -> None:
        self.settled = 0
        self.complete: set[int] = set()
        self.waiting: list[FrozenTrial] = []
        self.running: list[FrozenTrial] = []
        self.latest: list[FrozenTrial] = []
        self._history = history
        self._known: set[int] = set()
        self._tried: Counter[str | None] = Counter()
        self._origins: dict[tuple[str | None, str | None], set[str | None]] = defaultdict(set)
        self._trained: dict[tuple[str | None, ...], FrozenTrial] = {}
        self._measured: dict[tuple[str | None, Measured], list[float]] = defaultdict(list)

    def take(self, trials: Iterable[FrozenTrial]) -> None:
        """Takes in all trials of the study, by number, as they are now."""
        self.waiting, self.running = [], []
        for trial in trials:
            if trial.number in self._known:
                continue
            if trial.state == TrialState.WAITING:
                self.waiting.append(trial)
            elif trial.state == TrialState.RUNNING:
                self.running.append(trial)
            else:
                self._known.add(trial.number)
                self._add(trial)

    def planned(self) -> int:
        """How many count, running ones included and queued ones not."""
        return self.settled + sum(map(counts, self.running))

    def tried(self, backbone: str) -> int:
        """How many of a backbone count, running ones included."""
        running = map(TrialAttributes.of, filter(counts, self.running))
        return self._tried[backbone] + sum(each.backbone == backbone for each in running)

    def origins(self, backbone: str, version: str) -> set[str | None]:
        """Where the parameters of a backbone's trials in a version of the study came from."""
        running = map(TrialAttributes.of, self.running)
        return self._origins[backbone, version] | {
            each.origin
            for each in running
            if (each.backbone, each.study_version) == (backbone, version)
        }

    def twin(self, number: int, attributes: TrialAttributes) -> FrozenTrial | None:
        """Another trial that trains, or has trained, to the same weights.

        Args:
            number: Of the trial itself.
            attributes: Its attributes.
        """
        trained = self._trained.get(attributes.identity)
        for trial in self.running if trained is None else ():
            others = TrialAttributes.of(trial)
            original = trial.number != number and others.duplicate_of is None
            if original and others.identity == attributes.identity:
                return trial
        return trained

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
                self._tried[attributes.backbone] += 1
        if trial.datetime_complete is not None and attributes.elsewhere is None:
            insort(self.latest, trial, key=_newest)
            del self.latest[_LATEST:]
        if trial.state != TrialState.COMPLETE:
            return
        self.complete.add(trial.number)
        if attributes.duplicate_of is None:
            self._trained.setdefault(attributes.identity, trial)
        for number in _MEASURED:
            value = getattr(attributes, number)
            if value is not None:
                insort(self._measured[attributes.backbone, number], float(value))


def _newest(trial: FrozenTrial) -> float:
    """Sorts trials that are over, the latest first."""
    assert trial.datetime_complete is not None
    return -trial.datetime_complete.timestamp()


def forgiven(trials: Iterable[FrozenTrial], version: str) -> list[int]:
    """Numbers of the failed trials that a new search tries again as if they had never been.

    In a study without a finished trial all of them: whatever made them fail has been mended, or
    nobody would search it again. In any other those of another version of the study, and those
    that failed by a mistake, such as a plugin's, and not for their recipes.

    Args:
        trials: All of the study.
        version: Of the study now.
    """
    trials = list(trials)
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    if any(trial.state == TrialState.COMPLETE for trial in trials):
        attributes = {each.number: TrialAttributes.of(each) for each in failed}
        return [
            number
            for number, each in attributes.items()
            if each.mistake or each.study_version != version
        ]
    return [trial.number for trial in failed]
