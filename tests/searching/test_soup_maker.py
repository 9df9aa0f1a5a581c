"""The parent's side of averaging, with workers that average nothing."""

import json
import math
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autoqa.errors import DataError
from autoqa.searching.retention import retain
from autoqa.searching.soup_maker import SoupMaker
from autoqa.searching.soup_plan import Soup, families, standard_soups
from autoqa.store import database_url
from autoqa.store.candidate_record import CandidateRecord, soup_id
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS
from autoqa.supervision.budget import Budget
from autoqa.supervision.interrupts import SearchInterruptedError
from autoqa.training.jobs import SoupJob
from autoqa.training.messages import SnapshotTaken, SoupTried, TrialFinished
from autoqa.workers.base import WorkerSettings
from autoqa.workers.resources import WorkerPlan
from tests.searching.fakes import Events
from tests.searching.thread_worker import Killed, ThreadPool
from tests.store.test_study_tables import with_jaccard

RECORDS = tuple(
    with_jaccard(jaccard, id=f"t{number:04d}-100", trial=number)
    for number, jaccard in enumerate((0.5, 0.6, 0.4))
)
ALL = soup_id("e5", [record.id for record in RECORDS])
SIZE = 100


def average(job: SoupJob, emit: Any, jaccard: float = 0.55) -> None:
    """What a worker does, but for the averaging."""
    if job.kept:
        made = with_jaccard(
            jaccard,
            id=job.id,
            trial=job.trial,
            ingredients=tuple(each.id for each in job.ingredients),
        )
        write(RunFolder(job.run_folder), made)
        emit(SnapshotTaken(job.trial, made))
    else:
        emit(SoupTried(job.trial, job.id, jaccard))
    emit(TrialFinished(job.trial, 0.1))


def write(folder: RunFolder, record: CandidateRecord) -> None:
    with folder.writing_candidate(record.id) as partial:
        (partial / "model").mkdir()
        (partial / "model" / WEIGHTS).write_bytes(b"x" * SIZE)
        (partial / "candidate.json").write_text(json.dumps(record.as_json()))


class Kitchen:
    """A run folder with three candidates, and what to make soups of them with."""

    def __init__(self, path: Path) -> None:
        self.folder = RunFolder(path / "runs" / "small")
        self.folder.create()
        self.store = Store(self.folder.store_url(), "small")
        for record in RECORDS:
            write(self.folder, record)
            self.store.add_candidate(record)
        self.events = Events()
        self.jobs: list[SoupJob] = []
        self.keep: Callable[[Collection[str]], list[str]] = lambda _: []

    def make(
        self,
        run_job: Any = average,
        budget: Budget | None = None,
        *,
        greedy: bool = False,
        fixed: bool | None = None,
    ) -> list[str]:
        """Ids of new candidates: of the standard soups, or of a greedy one, or of both."""

        def factory(_study: Any, _folder: Path) -> Any:
            def run(job: SoupJob, emit: Any) -> None:
                self.jobs.append(job)
                run_job(job, emit)

            return run

        plan = WorkerPlan((None,), 1, "")
        study: Any = SimpleNamespace()
        pool = ThreadPool(WorkerSettings(factory, study, self.folder.path, plan, self.folder.logs))
        maker = SoupMaker(pool, self.folder, self.store, self.events, budget or Budget(), self.keep)
        (family,) = families(self.store.candidates())
        fixed = not greedy if fixed is None else fixed
        soups = standard_soups(family) if fixed else []
        made = maker.run(soups, [family] if greedy else [])
        return [record.id for record in made]


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def named(*numbers: int) -> str:
    return soup_id("e5", [RECORDS[number].id for number in numbers])


def test_standard_soups_are_recorded_once(kitchen: Kitchen) -> None:
    made = kitchen.make()
    assert made == [ALL, named(1, 2), named(0, 2), named(0, 1)]
    assert {record.id for record in kitchen.store.candidates()} == {
        *made,
        *(record.id for record in RECORDS),
    }
    kitchen.jobs.clear()
    assert kitchen.make() == []
    assert kitchen.jobs == []


def test_greedy_trials_are_reads_and_are_not_made_again(kitchen: Kitchen) -> None:
    scores = {named(0, 1): 0.65, ALL: 0.64}

    def score(job: SoupJob, emit: Any) -> None:
        average(job, emit, scores[job.id])

    assert kitchen.make(score, greedy=True) == [named(0, 1)]
    assert [(job.id, job.kept) for job in kitchen.jobs] == [
        (named(0, 1), False),
        (ALL, False),
        (named(0, 1), True),
    ]
    assert kitchen.store.public_reads() == {"candidates": 4, "soups": 2}
    assert kitchen.events.said("greedy soup of e5: t0000-100, t0001-100")
    kitchen.jobs.clear()
    assert kitchen.make(score, greedy=True) == []
    assert kitchen.jobs == []
    assert kitchen.store.public_reads()["soups"] == 2


def test_scores_of_soups_that_are_there_are_not_read_again(kitchen: Kitchen) -> None:
    kitchen.make()
    kitchen.jobs.clear()
    assert kitchen.make(greedy=True) == []
    assert kitchen.jobs == []
    assert "soups" not in kitchen.store.public_reads()


def test_greedy_tries_nothing_that_the_same_call_makes(kitchen: Kitchen) -> None:
    assert len(kitchen.make(greedy=True, fixed=True)) == 4
    assert all(job.kept for job in kitchen.jobs)
    assert "soups" not in kitchen.store.public_reads()


def test_an_unreadable_note_costs_a_second_trial_only(kitchen: Kitchen) -> None:
    kitchen.folder.tried_soups.write_text("{")
    kitchen.make(greedy=True)
    assert set(json.loads(kitchen.folder.tried_soups.read_text())) == {named(0, 1), named(1, 2)}


@pytest.mark.parametrize("how", [DataError("weights of x are damaged"), Killed(), math.nan])
def test_what_fails_costs_itself_only(kitchen: Kitchen, how: Any) -> None:
    def fail(job: SoupJob, emit: Any) -> None:
        if job.id != ALL:
            average(job, emit)
        elif isinstance(how, float):
            average(job, emit, how)
        else:
            raise how

    made = kitchen.make(fail)
    assert ALL not in made
    assert len(made) == 3
    assert kitchen.events.said(ALL)
    assert kitchen.make(fail, greedy=True) == []
    assert ALL not in {record.id for record in kitchen.store.candidates()}


def test_without_time_a_sentence_names_the_command(kitchen: Kitchen) -> None:
    assert kitchen.make(budget=Budget(minutes=1, start=0.0)) == []
    assert kitchen.jobs == []
    assert kitchen.events.said("no time is left for 4 more soups: `autoqa soup small` makes them")


def test_a_signal_ends_it_and_keeps_what_is_complete(kitchen: Kitchen) -> None:
    def stop(job: SoupJob, emit: Any) -> None:
        if job.id != ALL:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        average(job, emit)

    with pytest.raises(SearchInterruptedError, match="soups that were complete are kept"):
        kitchen.make(stop)
    assert [job.id for job in kitchen.jobs] == [ALL, named(1, 2)]
    assert kitchen.make()[-1] == named(0, 1)


def test_a_signal_ends_a_wait_for_the_database(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_url, "SQLITE_BUSY_SECONDS", 0.1)
    patience = Patience(60.0, tell=lambda _sentence: signal.raise_signal(signal.SIGINT))
    kitchen.store = Store(kitchen.folder.store_url(), "small", patience)
    begun = time.monotonic()
    with closing(sqlite3.connect(kitchen.folder.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SearchInterruptedError, match="soups that were complete are kept"):
            kitchen.make()
    assert time.monotonic() - begun < 30
    assert ALL in kitchen.folder.candidate_ids()  # written down by the next one


def test_a_search_keeps_a_tenth_of_its_time_for_soups() -> None:
    whole = Budget(minutes=100, start=0.0)
    for_trials = replace(whole, reserve=0.1)
    assert (whole.end, for_trials.end) == (6000, 5400)
    assert whole.deadline is not None
    assert for_trials.deadline == whole.deadline - 600


def test_ingredients_stay_while_a_soup_needs_them(kitchen: Kitchen) -> None:
    """With room for one model, nothing that is still to be averaged is dropped."""
    gib = SIZE / 1024**3
    kitchen.keep = lambda needed: retain(kitchen.folder, kitchen.store, gib, needed)
    made = kitchen.make()
    assert len(made) == 4
    assert not kitchen.events.said("is not made")
    left = [
        name
        for name in kitchen.folder.candidate_ids()
        if (kitchen.folder.model(name) / WEIGHTS).is_file()
    ]
    assert left == ["t0001-100"], "the best, which no soup surpasses"


def test_a_soup_is_never_an_ingredient(kitchen: Kitchen) -> None:
    kitchen.make()
    (family,) = families(kitchen.store.candidates())
    assert [record.id for record in family] == [record.id for record in RECORDS]
    assert Soup(family, "").id == ALL
