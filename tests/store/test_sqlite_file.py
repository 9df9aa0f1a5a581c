"""SQLite files: what is damaged is set aside, and a log holds nothing that is over."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from autoqa.errors import AutoqaError
from autoqa.store import sqlite_file
from autoqa.store.sqlite_file import checkpoint, in_use, set_aside_damaged


@pytest.fixture
def writer(tmp_path: Path):
    """A connection that keeps its rows in the log."""
    with closing(sqlite3.connect(tmp_path / "study.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE rows (number INTEGER)")
        connection.commit()
        for number in range(100):
            connection.execute("INSERT INTO rows VALUES (?)", (number,))
            connection.commit()
        yield connection


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM rows").fetchone()[0])
        except sqlite3.DatabaseError:
            return -1


def copy_with_damaged_log(tmp_path: Path) -> Path:
    """The files as another process sees them, with the middle of the log zeroed."""
    target = tmp_path / "copy" / "study.db"
    target.parent.mkdir()
    shutil.copy(tmp_path / "study.db", target)
    log = (tmp_path / "study.db-wal").read_bytes()
    half = len(log) // 2
    target.with_name("study.db-wal").write_bytes(log[:half] + bytes(len(log) - half))
    return target


def test_a_damaged_log_costs_nothing_that_was_checkpointed(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    before = count(copy_with_damaged_log(tmp_path))
    assert before < 100, "what a log loses without"
    shutil.rmtree(tmp_path / "copy")
    checkpoint(f"sqlite:///{tmp_path}/study.db")
    assert (tmp_path / "study.db-wal").stat().st_size == 0
    assert count(copy_with_damaged_log(tmp_path)) == 100
    writer.execute("INSERT INTO rows VALUES (100)")
    writer.commit()
    assert count(tmp_path / "study.db") == 101


def test_a_reader_does_not_stop_a_checkpoint_for_long(
    tmp_path: Path, writer: sqlite3.Connection
) -> None:
    with closing(sqlite3.connect(tmp_path / "study.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM rows").fetchone()
        writer.execute("INSERT INTO rows VALUES (100)")
        writer.commit()
        checkpoint(f"sqlite:///{tmp_path}/study.db")
        assert reader.execute("SELECT count(*) FROM rows").fetchone() == (100,)
    checkpoint(f"sqlite:///{tmp_path}/study.db")
    assert (tmp_path / "study.db-wal").stat().st_size == 0


def test_a_checkpoint_tells_of_a_damaged_database(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"no database" * 1000)
    with pytest.raises(AutoqaError, match=r"study\.db: the study's database failed: file is not a"):
        checkpoint(f"sqlite:///{tmp_path}/study.db")


@pytest.mark.parametrize(
    "url", ["sqlite://", "postgresql://nobody@localhost/x", "no url", "sqlite:////tmp/no/such.db"]
)
def test_other_databases_are_left_alone(url: str) -> None:
    assert set_aside_damaged(url) is None


def test_what_is_whole_stays(tmp_path: Path, writer: sqlite3.Connection) -> None:
    assert set_aside_damaged(f"sqlite:///{tmp_path}/study.db") is None
    assert count(tmp_path / "study.db") == 100
    writer.execute("BEGIN IMMEDIATE")  # a lock is no damage
    assert set_aside_damaged(f"sqlite:///{tmp_path}/study.db") is None


def test_a_damaged_database_is_kept_under_a_name_with_the_time(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    said = set_aside_damaged(f"sqlite:///{path}")
    assert said is not None
    (kept,) = tmp_path.iterdir()
    assert said == (
        f"the database {path} is damaged (file is not a database); it is kept as {kept.name}"
    )
    assert kept.read_bytes().endswith(b"?")


def test_an_empty_database_goes_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.touch()
    path.with_name("study.db-wal").write_bytes(b"log")
    said = set_aside_damaged(f"sqlite:///{path}")
    assert said is not None
    assert "is damaged (it is empty)" in said
    kept, log = sorted(tmp_path.iterdir())
    assert (log.name, log.read_bytes()) == (f"{kept.name}-wal", b"log")


def test_a_database_that_another_process_is_making_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.touch()  # what opening a new one leaves, until its first table is there
    assert set_aside_damaged(f"sqlite:///{path}") is None
    path.with_name("study.db-wal").write_bytes(b"log")
    said = set_aside_damaged(f"sqlite:///{path}")
    assert said is not None
    assert "is damaged (it is empty)" in said
    assert list(tmp_path.glob("study.db*.damaged.lock")) == []


def test_only_one_of_two_that_begin_at_once_sets_a_database_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = tmp_path / "study.db", f"sqlite:///{tmp_path}/study.db"
    path.write_bytes(b"no database at all" * 500)
    both_have_looked = threading.Barrier(2, timeout=30)
    looks: list[str | None] = []

    def look(file: Path) -> str | None:
        found = looked(file)
        looks.append(found)
        if len(looks) <= 2:
            both_have_looked.wait()
        return found

    looked = sqlite_file._damage
    monkeypatch.setattr(sqlite_file, "_damage", look)

    def begin() -> str | None:
        said = set_aside_damaged(url)
        if said is not None:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE rows (number INTEGER)")
        return said

    with ThreadPoolExecutor() as pool:
        said = [each.result() for each in [pool.submit(begin), pool.submit(begin)]]
    assert sum(each is not None for each in said) == 1
    assert len(list(tmp_path.glob("study.db.damaged-*"))) == 1


def test_what_another_process_works_with_is_not_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(b"no database at all" * 100)
    url = f"sqlite:///{path}"
    with in_use(url), in_use(url):
        with pytest.raises(AutoqaError, match="another process still works with it: wait until"):
            set_aside_damaged(url)
        assert path.exists()
    assert set_aside_damaged(url) is not None
    assert not path.exists()
