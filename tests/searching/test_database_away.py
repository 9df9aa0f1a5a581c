"""A search whose database restarts, stays away, is locked, or is opened by two at once."""

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine, event

from autoqa.errors import AutoqaError
from autoqa.store import database_url
from autoqa.store.patience import Patience
from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import counts
from tests.postgres import Postgres
from tests.searching import away, fakes

pytestmark = pytest.mark.slow

TRIALS = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Postgres | None:
    """A PostgreSQL server, or ``None`` for SQLite."""
    if request.param == "sqlite":
        return None
    started: Postgres = request.getfixturevalue("postgres")
    return started


class Meanwhile(fakes.Events):
    """Does something, once, when the second trial has finished."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._thread = threading.Thread(target=act)
        self._begun = False

    def event(self, text: str) -> None:
        super().event(text)
        if "finished in" in text and "(2 of" in text and not self._begun:
            self._begun = True
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._begun:
            self._thread.join()


def absent(server: Postgres, seconds: float) -> Callable[[], None]:
    def act() -> None:
        server.stop()
        time.sleep(seconds)
        server.start()

    return act


def check_all_there(url: str, trials: int = TRIALS) -> None:
    """Every trial finished once, and the files are what the database says."""
    study = open_study("small", url, 0)
    settled = [each for each in study.get_trials() if counts(each)]
    assert [each.state for each in settled] == [TrialState.COMPLETE] * trials
    with Store(url, "small") as store:
        written = [record.id for record in store.candidates()]
    assert written == fakes.run_folder().candidate_ids()
    assert len({name.split("-")[0] for name in written}) == trials


@pytest.mark.parametrize("seconds", [0, 8])
def test_a_search_survives_a_restart_and_an_absence(
    tmp_path: Path, postgres: Postgres, seconds: float
) -> None:
    display = Meanwhile(absent(postgres, seconds))
    result = fakes.search(tmp_path, fakes.paced, fakes.stored(postgres.address), display=display)
    assert result.ended == f"all {TRIALS} trials are done"
    check_all_there(postgres.address)
    if seconds:
        assert display.said("has not answered for")
        assert display.said("results wait on disk; trying again")
        assert display.said("answers again after")


def test_ctrl_c_works_while_it_is_away(tmp_path: Path, postgres: Postgres) -> None:
    arguments = [str(tmp_path), "paced", postgres.address]
    command = [sys.executable, "-m", "tests.searching.fake_search", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines: Iterator[str] = iter(process.stderr.readline, "")
        assert any("finished in" in line for line in lines)
        postgres.stop()
        assert any("has not answered for" in line for line in lines)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = "".join(lines)
        assert process.wait(30) == 130
        assert time.monotonic() - asked < 10
        assert "the search was interrupted while its database or files were away" in said
        assert "Traceback" not in said
    postgres.start()
    assert fakes.search(tmp_path, fakes.good, fakes.stored(postgres.address)).ended.startswith(
        "all"
    )
    check_all_there(postgres.address)


def test_patience_ends_with_one_sentence(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoqa.searching.at_work.SEARCH_SECONDS", 1.0)
    display = Meanwhile(postgres.stop)
    with pytest.raises(AutoqaError, match=r"has not answered for .* finished is lost"):
        fakes.search(tmp_path, fakes.paced, fakes.stored(postgres.address), display=display)
    postgres.start()
    fakes.search(tmp_path, fakes.good, fakes.stored(postgres.address))
    check_all_there(postgres.address)


def test_a_database_that_another_process_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_url, "SQLITE_BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'study.db'}"

    def lock() -> None:
        with sqlite3.connect(tmp_path / "study.db") as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(3)
        connection.close()

    display = Meanwhile(lock)
    fakes.search(tmp_path, fakes.paced, fakes.stored(url), display=display)
    assert display.said("(database is locked)")
    check_all_there(url)


def test_two_processes_make_the_first_tables(server: Postgres | None, tmp_path: Path) -> None:
    names = [f"turn{turn}" for turn in range(6)]
    if server is None:
        urls = [f"sqlite:///{tmp_path / name}.db" for name in names]
    else:
        server.make_schemas(names)
        urls = [f"{server.address}&options=-csearch_path%3D{name}" for name in names]
    spawn = multiprocessing.get_context("spawn")
    ready, outcomes = spawn.Barrier(2), spawn.Queue()
    processes = [
        spawn.Process(target=away.open_all, args=(urls, ready, outcomes)) for _ in range(2)
    ]
    for process in processes:
        process.start()
    assert [outcomes.get(timeout=120) for _ in 2 * urls] == [["jaccard"]] * 12
    for process in processes:
        process.join()
    assert [len(open_study("golden", url, 0).get_trials()) for url in urls] == [2] * 6
    assert [path.name for path in tmp_path.iterdir() if "lock" in path.name] == []


class LostAnswers:
    """Cuts the connection right after a commit, so that nobody hears of it.

    Args:
        study: Optuna's study on PostgreSQL.
        table: Only commits that wrote to it.
    """

    def __init__(self, study: optuna.Study, words: str, times: int) -> None:
        self.engine: Any = study._storage._engine  # type: ignore[attr-defined]
        self._words, self.times, self._wrote = words, times, False
        event.listen(self.engine, "before_cursor_execute", self._note)
        event.listen(self.engine, "commit", self._commit)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._wrote = self._wrote or statement.startswith(self._words)

    def _commit(self, connection: Any) -> None:
        if not self._wrote or not self.times:
            return
        self._wrote, self.times = False, self.times - 1
        driver = connection.connection.dbapi_connection
        driver.commit()
        driver.execute("SELECT 1")  # something to commit, which fails
        pid = driver.info.backend_pid
        killer = create_engine(self.engine.url)
        with killer.begin() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
        killer.dispose()


@pytest.fixture
def study(postgres: Postgres) -> optuna.Study:
    return open_study("lost", postgres.address, 0, Patience(30))


def states(study: optuna.Study, *, counted: bool = True) -> list[str]:
    return [each.state.name for each in study.get_trials() if counts(each) or not counted]


def test_a_trial_whose_number_was_lost_is_made_once(study: optuna.Study) -> None:
    lost = LostAnswers(study, "INSERT INTO trials ", 1)
    trial = study.ask()
    assert lost.times == 0
    assert states(study) == ["RUNNING"]
    assert sorted(states(study, counted=False)) == ["FAIL", "RUNNING"], "Optuna tried again itself"
    study.tell(trial, 0.5)
    assert states(study) == ["COMPLETE"]


def test_queued_trials_are_queued_and_taken_once(study: optuna.Study) -> None:
    LostAnswers(study, "INSERT INTO trials ", 2)
    study.enqueue_trial({"x": 1}, user_attrs={"backbone": "e5"})
    assert states(study) == ["WAITING"]
    lost = LostAnswers(study, "UPDATE trials SET state", 1)
    trial = study.ask()
    assert lost.times == 0
    assert (trial.user_attrs["backbone"], states(study)) == ("e5", ["RUNNING"])


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.FAIL])
def test_an_end_that_was_written_is_no_error(study: optuna.Study, state: TrialState) -> None:
    trial = study.ask()
    lost = LostAnswers(study, "UPDATE trials SET state", 1)
    study.tell(trial, 0.5 if state == TrialState.COMPLETE else None, state=state)
    assert lost.times == 0
    assert states(study, counted=False) == [state.name]
