import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from autoqa.config import load_study
from autoqa.config.study import StudyFile
from autoqa.errors import MachineFaultError, TrainingError
from autoqa.recipes import Recipe, TrainingRun
from autoqa.supervision.display import QuietDisplay
from autoqa.supervision.interrupts import SearchInterruptedError
from autoqa.supervision.job_queue import run_jobs
from autoqa.training.jobs import Job, TrialJob
from autoqa.training.messages import Emit, Note, RecipeCard, TrialFinished
from autoqa.workers.base import WorkerSettings
from autoqa.workers.resources import WorkerPlan
from tests.searching.thread_worker import Killed, ThreadPool
from tests.toy_study import write_study


class Events(QuietDisplay):
    def __init__(self) -> None:
        self.said: list[str] = []

    def event(self, text: str) -> None:
        self.said.append(text)


def factory(behave: Callable[[Job], None], *_: object) -> Callable[[Job, Emit], None]:
    def work(job: Job, emit: Emit) -> None:
        emit(RecipeCard(job.trial, ("a card",)))
        emit(Note(job.trial, "a note"))
        behave(job)
        emit(TrialFinished(job.trial, 1.0))

    return work


@pytest.fixture
def study(tmp_path: Path) -> StudyFile:
    return load_study(write_study(tmp_path))


def jobs(folder: Path, count: int) -> dict[str, Job]:
    return {
        f"job {n}": TrialJob(n, "toy", TrainingRun(Recipe(()), 1e-3, 0), folder)
        for n in range(count)
    }


def pool(study: StudyFile, folder: Path, behave: Callable[[Job], None]) -> ThreadPool:
    plan = WorkerPlan((None,), 1, "for the test")
    return ThreadPool(WorkerSettings(partial(factory, behave), study, folder, plan, folder))


def test_all_are_done_in_order_and_workers_wait_for_more(study: StudyFile, tmp_path: Path) -> None:
    done: list[int] = []
    workers = pool(study, tmp_path, lambda job: done.append(job.trial))
    display, finished = Events(), list[str]()
    for _ in range(2):
        run_jobs(
            workers, display, jobs(tmp_path, 3), "trying", lambda name, _: finished.append(name)
        )
    workers.end()
    assert done == [0, 1, 2] * 2
    assert finished == ["job 0", "job 1", "job 2"] * 2
    assert display.said[:3] == ["trying job 0 on worker 0", "job 0: a card", "job 0: a note"]


@pytest.mark.parametrize(
    "error, sentence",
    [
        (TrainingError("the loss is nan"), "job 1: the loss is nan"),
        (OSError(28, "No space left on device"), r"job 1: OSError: .Errno 28. No space left"),
        (Killed(), "job 1: the thread ended with"),
    ],
)
def test_the_first_that_fails_is_named_and_ends_the_others(
    study: StudyFile, tmp_path: Path, error: BaseException, sentence: str
) -> None:
    done: list[int] = []

    def behave(job: Job) -> None:
        if job.trial == 1:
            raise error
        done.append(job.trial)

    kind = MachineFaultError if isinstance(error, OSError) else TrainingError
    with pytest.raises(kind, match=sentence):
        run_jobs(pool(study, tmp_path, behave), QuietDisplay(), jobs(tmp_path, 3), "trying")
    assert done == [0]


def test_a_signal_ends_it_in_good_order(study: StudyFile, tmp_path: Path) -> None:
    finished: list[str] = []
    workers = pool(study, tmp_path, lambda _: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(SearchInterruptedError, match="trying was interrupted; what was complete"):
        run_jobs(
            workers,
            QuietDisplay(),
            jobs(tmp_path, 3),
            "trying",
            lambda name, _: finished.append(name),
        )
    assert len(finished) < 3


def test_others_go_on_where_somebody_takes_failures(study: StudyFile, tmp_path: Path) -> None:
    done: list[int] = []

    def behave(job: Job) -> None:
        if job.trial == 1:
            raise TrainingError("the loss is nan")
        done.append(job.trial)

    told: list[tuple[str, str, str]] = []
    workers = pool(study, tmp_path, behave)
    run_jobs(
        workers,
        QuietDisplay(),
        jobs(tmp_path, 5),
        "trying",
        wanted=lambda name: name != "job 3",
        failed=lambda *words: told.append(words),
    )
    workers.end()
    assert told == [("job 1", "the loss is nan", "TrainingError")]
    assert done == [0, 2, 4], "what is not wanted is left out"


def test_a_broken_disk_ends_all_whoever_takes_failures(study: StudyFile, tmp_path: Path) -> None:
    def behave(_: Job) -> None:
        raise OSError(28, "No space left on device")

    told: list[object] = []
    workers = pool(study, tmp_path, behave)
    with pytest.raises(MachineFaultError, match="job 0: OSError"):
        run_jobs(
            workers,
            QuietDisplay(),
            jobs(tmp_path, 2),
            "trying",
            failed=lambda *words: told.append(words),
        )
    assert not told
