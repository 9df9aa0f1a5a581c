"""Every kind of worker keeps the contract, and a search runs on any of them."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoqa import env
from autoqa.data import prepare_data
from autoqa.errors import ConfigError
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.searching.runner import run_search
from autoqa.searching.setup import SearchOptions
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, Note, TrialFinished
from autoqa.workers.base import Events, Worker, WorkerPool, WorkerSettings
from autoqa.workers.registry import LOCAL_PROCESS, WORKER_KINDS, make_pool
from autoqa.workers.resources import WorkerPlan
from tests.searching import fakes
from tests.searching.thread_worker import Killed, ThreadPool
from tests.toy_study import write_study


@pytest.fixture(autouse=True)
def thread_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Registers the toy kind for one test."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    WORKER_KINDS["thread"] = ThreadPool
    yield
    del WORKER_KINDS["thread"]
    assert list(WORKER_KINDS) == [LOCAL_PROCESS]


def dies_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Callable[[Message], None]) -> None:
        emit(Note(job.trial, f"on {os.getpid()}"))
        if fakes.first_time(job):
            raise Killed("by nobody")
        fakes.good(None, job.run_folder)(job, emit)

    return run


def until(pool: WorkerPool, wake: int, over: Callable[[Events], bool]) -> list[Message]:
    """All messages of worker 0 up to the events that fulfil the condition."""
    messages: list[Message] = []
    for _ in range(600):
        for worker, events in pool.listen({0}, wake):
            assert worker is pool.workers[0]
            messages += events.messages
            if over(events):
                return messages
    raise AssertionError(f"only {messages}")


def finished(events: Events) -> bool:
    return any(isinstance(message, TrialFinished) for message in events.messages)


@pytest.mark.parametrize("kind, killed", [(LOCAL_PROCESS, False), ("thread", True)])
def test_a_worker_lives_dies_and_lives_again(tmp_path: Path, kind: str, killed: bool) -> None:
    (tmp_path / "study.toml").write_text(fakes.STUDY)
    study = fakes.bind(tmp_path / "study.toml").study
    folder = RunFolder(tmp_path / "run")
    folder.create()
    plan = WorkerPlan((None, None), 1, "for the test")
    pool = make_pool(kind, WorkerSettings(dies_once, study, folder.path, plan, folder.logs))
    assert [worker.number for worker in pool.workers] == [0, 1]
    worker: Worker = pool.workers[0]
    assert worker.events() == Events()
    run = TrainingRun(Recipe((Stage((Portion("squad"),), 384, 128),)), 3e-5, 1)
    job = TrialJob(0, "e5", run, folder.path)
    wake, bell = os.pipe()
    try:
        worker.assign(job)
        (note,) = until(pool, wake, lambda events: events.died)
        assert isinstance(note, Note)
        assert worker.events() == Events(died=True)
        assert worker.was_killed is killed
        assert "ended" in worker.cause_of_death()
        worker.end()
        worker.end()
        assert worker.events() == Events()
        worker.assign(job)
        assert isinstance(until(pool, wake, finished)[-1], TrialFinished)
        worker.assign(job)
        assert isinstance(until(pool, wake, finished)[0], Note)
        assert worker.events() == Events()
    finally:
        pool.end()
        os.close(wake)
        os.close(bell)


def test_a_search_on_another_kind_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    events = fakes.Events()
    options = SearchOptions(workers=2)
    result = fakes.search(tmp_path, dies_once, options=options, display=events, workers="thread")
    assert (result.finished, result.failed) == (4, 0)
    assert events.said("failed: the thread ended with Killed('by nobody'); queued again in forward")
    calls = fakes.calls()
    assert {call["pid"] for call in calls} == {os.getpid()}
    assert sorted(call["micro_scale"] for call in calls) == [0.5, 1.0, 1.0, 1.0]
    assert not [each for each in threading.enumerate() if each.name.startswith("toy-worker")]


def test_a_real_study_trains_on_another_kind(tmp_path: Path) -> None:
    path = write_study(tmp_path, "trials = 1\nworkers = 1\ncheckpoints = 0\n")
    result = run_search(open_study(path), path.read_text(), prepare_data, workers="thread")
    assert (result.finished, result.failed) == (1, 0)
    folder = RunFolder(env.run_folder("toy"))
    with Store(folder.store_url(), "toy") as store:
        assert [record.id for record in store.candidates()] == folder.candidate_ids()
    assert not list(folder.logs.glob("worker-*"))


def test_an_unknown_kind_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'threat' is no kind of worker; did you mean 'thread'"):
        fakes.search(tmp_path, fakes.good, workers="threat")
    with pytest.raises(ConfigError, match="there is local-process, ray, thread"):
        fakes.search(tmp_path, fakes.good, workers="slurm")
    assert fakes.calls() == []
