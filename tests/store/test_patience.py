"""Databases that are away: what counts as away, how long one waits, and what is written then."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event

from autoqa.errors import AutoqaError
from autoqa.store import database_url
from autoqa.store.connection import StudyDatabase
from autoqa.store.patience import Patience
from autoqa.store.study_tables import Store
from tests.conftest import Run
from tests.postgres import Postgres

NOBODY = "postgresql://ada:secret@127.0.0.1:1/base"
"""Port 1 is nobody's."""


class StoppedError(Exception):
    pass


def after(seconds: float, act: Any) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_a_server_that_starts_is_waited_for(postgres: Postgres) -> None:
    said: list[str] = []
    with Store(postgres.address, "s", Patience(30, said.append)) as store:
        store.save_study("text")
        postgres.stop()
        starting = after(1.2, postgres.start)
        assert store.study_text() == "text"
        starting.join()
    assert said[0].startswith("the database postgresql+psycopg://")
    assert "has not answered for" in said[0]
    assert said[0].endswith("; results wait on disk; trying again")
    assert "answers again after" in said[-1]


def test_opening_waits_too(postgres: Postgres) -> None:
    postgres.stop()
    starting = after(1.2, postgres.start)
    with Store(postgres.address, "s", Patience(30)) as store:
        assert store.study_text() is None
    starting.join()


@pytest.mark.parametrize("wait", ["opening", "work", "lock"])
def test_every_wait_can_be_interrupted(postgres: Postgres, wait: str) -> None:
    until = time.monotonic() + 60.0

    def check() -> None:
        if time.monotonic() > until:
            raise StoppedError

    patience = Patience(900, check=check)
    with StudyDatabase(postgres.address, "s", patience) as database:
        postgres.stop()
        until = time.monotonic() + 0.8
        waits = {
            "opening": lambda: StudyDatabase(postgres.address, "s", patience),
            "work": lambda: database._transaction(lambda each: each.exec_driver_sql("SELECT 1")),
            "lock": lambda: database.exclusively().__enter__(),
        }
        with pytest.raises(StoppedError):
            waits[wait]()


def test_patience_ends_with_one_sentence() -> None:
    with pytest.raises(AutoqaError) as caught:
        Store(NOBODY, "s", Patience(1))
    said = str(caught.value)
    assert said.startswith(
        "postgresql+psycopg://ada:***@127.0.0.1:1/base: the study's database has"
    )
    assert "(connection failed: " in said
    assert said.endswith("give the same command again; nothing that finished is lost")
    assert "\n" not in said


def test_a_leaderboard_of_a_dead_server(
    golden: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience, "__init__", _hurried(Patience.__init__))
    frozen = golden / "searched" / "golden" / "study.toml"
    text = frozen.read_text()
    frozen.write_text(text.replace("[search]\n", f'[search]\nstorage = "{NOBODY}"\n'))
    code, out, err = run("leaderboard", "golden")
    assert (code, out) == (1, "")
    assert "has not answered for" in " ".join(err.split())
    assert "secret" not in err
    assert "Traceback" not in err


def _hurried(initialise: Any) -> Any:
    return lambda self, seconds=1.0, **named: initialise(self, min(seconds, 1.0), **named)


def test_what_no_waiting_helps_is_said_at_once(postgres: Postgres, tmp_path: Path) -> None:
    said: list[str] = []
    patience = Patience(900, said.append)
    stranger = postgres.address.replace("postgres:@", "nobody:secret@")
    for url, words in [
        (postgres.address.replace("/postgres?", "/nosuch?"), 'database "nosuch" does not exist'),
        (stranger, 'role "nobody" does not exist'),
        (f"{postgres.address}&sslmode=never", 'invalid sslmode value: "never"'),
        (f"sqlite:///{tmp_path}/absent/study.db", "unable to open database file"),
    ]:
        with pytest.raises(AutoqaError, match=f"cannot open the study's database: .*{words}"):
            Store(url, "s", patience)
    with Store(postgres.address, "s", patience) as store:
        for wrong in ("SELEC 1", "INSERT INTO autoqa_study (name) VALUES ('half')"):
            with pytest.raises(AutoqaError, match="the study's database failed"):
                store._transaction(lambda each, wrong=wrong: each.exec_driver_sql(wrong))
    assert said == []


def test_a_wrong_password_is_said_at_once(postgres: Postgres) -> None:
    with postgres.asking("ada", "right"):
        right = postgres.address.replace("postgres:@", "ada:right@")
        with StudyDatabase(right, "s") as database:
            assert database.study == "s"
        with pytest.raises(AutoqaError, match="password authentication failed") as caught:
            Store(right.replace(":right@", ":secret@"), "s", Patience(900))
        assert "secret" not in str(caught.value)
        with pytest.raises(AutoqaError, match="no password supplied"):
            Store(right.replace(":right@", "@"), "s", Patience(900))


def test_an_unknown_host_is_one_sentence() -> None:
    with pytest.raises(AutoqaError, match=r"@host\.invalid/x: .* has not answered for") as caught:
        Store("postgres://ada:secret@host.invalid/x", "s", Patience(0))
    assert "secret" not in str(caught.value)


def test_a_file_that_another_process_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_url, "SQLITE_BUSY_SECONDS", 0.1)
    path = tmp_path / "study.db"
    said: list[str] = []
    with Store(f"sqlite:///{path}", "s", Patience(30, said.append)) as store:
        with closing(sqlite3.connect(path, check_same_thread=False)) as other:
            other.execute("BEGIN EXCLUSIVE")
            ending = after(1.5, other.rollback)
            store.save_study("text")
            ending.join()
            assert said
            other.execute("BEGIN EXCLUSIVE")
            store.patience.seconds = 0.5
            with pytest.raises(AutoqaError, match="wait for the process that writes to it"):
                store.save_study("other")
        assert store.study_text() == "text"


def lose_answers(store: Store) -> list[int]:
    """Cuts a store's connection after its next commit, so that it does not hear of it."""
    lost: list[int] = []

    def cut(connection: Any) -> None:
        if lost:
            return
        driver = connection.connection.dbapi_connection
        driver.commit()
        driver.execute("SELECT 1")  # something to commit, which fails
        lost.append(driver.info.backend_pid)
        killer = create_engine(store.url)
        with killer.begin() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({lost[0]}, 5000)")
        killer.dispose()

    event.listen(store._engine, "commit", cut)
    return lost


@pytest.mark.parametrize(
    "kind", ["opening", "read", "selection", "external", "study", "private score"]
)
def test_what_was_written_though_the_answer_was_lost_is_there_once(
    postgres: Postgres, kind: str
) -> None:
    with Store(postgres.address, "s", Patience(30)) as store:
        opening = store.log_opening("before")
        store.log_read("rules", "a", 2)
        lost = lose_answers(store)
        if kind == "opening":
            assert store.log_opening("why", purpose="reveal").number == 2
            assert [row.reason for row in store.openings()] == ["before", "why"]
        elif kind == "read":
            store.log_read("rules", "a", 2)
            assert store.public_reads() == {"rules": 4}
        elif kind == "selection":
            store.add_selection({"members": [1]})
            assert store.selections() == [{"members": [1]}]
        elif kind == "external":
            store.add_external("t1", "board", 0.5, 0.6)
            assert [each.subject for each in store.externals()] == ["t1"]
        elif kind == "study":
            store.save_study("text")
            assert store.study_text() == "text"
        else:
            store.keep_private_score("e", opening, {"jaccard": 0.5})
            assert store.private_score("e") == (1, {"jaccard": 0.5})
        assert len(lost) == 1
