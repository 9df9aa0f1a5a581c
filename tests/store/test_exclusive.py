"""One process at a time, on SQLite and on PostgreSQL."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autoqa.store.connection import StudyDatabase
from autoqa.store.patience import Patience
from tests.postgres import Postgres


class StoppedError(Exception):
    pass


def stop_at(moment: float) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() > moment:
            raise StoppedError

    return check


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.db'}"
    address: str = request.getfixturevalue("postgres").address
    return address


@contextmanager
def holder(url: str, study: str = "s", seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the study."""
    command = [sys.executable, "-m", "tests.store.holding", url, study, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_process_waits_for_the_other(url: str) -> None:
    with holder(url, seconds=0.5) as process, StudyDatabase(url, "s") as database:
        with database.exclusively():
            taken = time.time()
        assert process.stdout is not None
        assert float(process.stdout.readline()) <= taken


def test_a_killed_process_holds_nothing(url: str) -> None:
    with (
        holder(url) as process,
        StudyDatabase(url, "s", Patience(check=stop_at(time.monotonic() + 20))) as database,
    ):
        process.kill()
        with database.exclusively():
            pass


def test_waiting_can_be_interrupted(url: str) -> None:
    with holder(url), StudyDatabase(url, "s") as database:
        database.patience.check = stop_at(time.monotonic() + 0.3)
        with pytest.raises(StoppedError), database.exclusively():
            raise AssertionError("two processes hold the study")
        # Nor does what was given up hold it later on.
        database.patience.check = stop_at(0)
        with pytest.raises(StoppedError), database.exclusively():
            pass


def test_it_is_free_after_an_error_and_again(url: str) -> None:
    with StudyDatabase(url, "s") as database, StudyDatabase(url, "s") as other:
        with pytest.raises(ZeroDivisionError), database.exclusively():
            raise ZeroDivisionError
        for each in (other, database, other):
            with each.exclusively():
                pass


def test_studies_of_one_server_do_not_wait_for_each_other(postgres: Postgres) -> None:
    with holder(postgres.url, "other"), StudyDatabase(postgres.url, "s") as database:
        database.patience.check = stop_at(0)
        with database.exclusively():
            pass


def test_no_file_stays_beside_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with StudyDatabase(url, "s") as database, database.exclusively():
        assert (tmp_path / "study.db.lock").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]


def test_a_server_that_restarts_forgets_it(postgres: Postgres) -> None:
    with StudyDatabase(postgres.url, "s", Patience(30)) as database:
        with database.exclusively():
            postgres.stop()
            postgres.start()
        with database.exclusively():
            pass
