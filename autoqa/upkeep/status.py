"""How far a study is and who works on it, from any machine; nothing waits or is changed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial

from autoqa.errors import AutoqaError
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.searchers import Searcher
from autoqa.store.study_tables import Store
from autoqa.upkeep.disk_use import disk_use
from autoqa.upkeep.study_place import StudyPlace, stored_study
from autoqa.upkeep.trial_counts import TrialCounts, read_trials

_CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of a database and of a searching machine may disagree."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The wall-clock limit of a search that runs.

    Attributes:
        minutes: The limit.
        seconds_left: Until its end; below 0 afterwards.
    """

    minutes: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """What can be said of a study.

    Attributes:
        place: Where it is.
        disk: Bytes by part, ``None`` where the run folder is on another machine.
        candidates: How many; where the database fails, those on disk.
        highest: The one with the highest public score.
        wanted: Trials that the last search was to do.
        trials: ``None`` where the database fails.
        rows: The trials themselves.
        searchers: Every process with a lease, also one whose lease is over.
        limit: That of the search that runs, if it has one.
        problem: What else could not be said, and why.
    """

    place: StudyPlace
    disk: Mapping[str, int] | None
    candidates: int
    highest: CandidateRecord | None
    wanted: int | None = None
    trials: TrialCounts | None = None
    rows: Sequence[FrozenTrial] = ()
    searchers: Sequence[Searcher] = ()
    limit: TimeLimit | None = None
    problem: AutoqaError | None = None

    @property
    def alive(self) -> list[Searcher]:
        """Processes that work on it, the one that leads first."""
        alive = [each for each in self.searchers if each.is_alive()]
        return sorted(alive, key=lambda each: not each.leads)


def study_status(place: StudyPlace) -> StudyStatus:
    """Looks at a study: files first, then its database; what fails there is told as a problem."""
    disk = None if place.folder is None else disk_use(place.folder.path)
    try:
        with place.look() as store:
            return _from_database(place, store, disk)
    except (AutoqaError, KeyError, TypeError, ValueError) as failure:
        error = failure
        if not isinstance(error, AutoqaError):
            error = AutoqaError(f"study {place.name!r}: its rows are damaged ({failure!r})")
        found = [] if place.folder is None else _on_disk(place.folder)
        return StudyStatus(
            place=place,
            disk=disk,
            candidates=len(found),
            highest=min(found, key=by_score, default=None),
            problem=error,
        )


def _from_database(place: StudyPlace, store: Store, disk: Mapping[str, int] | None) -> StudyStatus:
    study = stored_study(store)
    conditions = store.conditions()
    searchers = store.searchers()
    alive = [each for each in searchers if each.is_alive()]
    candidates = store.candidates()
    trials = read_trials(store.full_url, store.study)
    return StudyStatus(
        place=place,
        disk=disk,
        candidates=len(candidates),
        highest=min(candidates, key=by_score, default=None),
        wanted=study.search.trials if conditions is None else conditions["trials"],
        trials=TrialCounts.of(trials, {each.id for each in alive}),
        rows=trials,
        searchers=searchers,
        limit=_limit(conditions, alive),
    )


def _limit(conditions: Mapping[str, Any] | None, alive: Sequence[Searcher]) -> TimeLimit | None:
    """The limit that the last search stated, if it is that search that still runs."""
    if conditions is None or conditions["minutes"] is None:
        return None
    if not any(each.purpose in ("search", "worker") for each in alive):
        return None
    start = float(conditions["start"])
    begun = [each.begun.timestamp() for each in alive if each.leads]
    if any(start < moment - _CLOCKS_DIFFER for moment in begun):  # it has not stated its own yet
        return None
    minutes = float(conditions["minutes"])
    return TimeLimit(minutes, start + 60 * minutes - time.time())


def _on_disk(folder: RunFolder) -> list[CandidateRecord]:
    """Candidates whose records can be read."""
    found = []
    for name in folder.candidate_ids():
        try:
            found.append(folder.read_record(name))
        except AutoqaError:  # told by whoever opens the study
            continue
    return found
