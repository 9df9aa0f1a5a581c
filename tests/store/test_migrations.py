"""Databases of every version: migrated when opened, once, whoever else opens them."""

import logging
import multiprocessing
import shutil
import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect, text

from autoqa.errors import AutoqaError, DataError
from autoqa.store import migrations
from autoqa.store.migrations import VERSION_TABLE
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.tables import REVISIONS, metadata
from tests.conftest import Run
from tests.store.opening import open_at_once

GOLDEN = Path(__file__).parents[1] / "golden" / "searched"
OLD_METRICS = ("jaccard", "em", "f1")
NEWER = f"{int(REVISIONS[-1]) + 1:04}"
FIRST_TABLES: MetaData = import_module("autoqa.store.migrations.versions.tables_of_0_1_0")._metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    address: str = request.getfixturevalue("postgres").url
    return address


@pytest.fixture
def old_url(url: str, tmp_path: Path) -> str:
    """The golden study's rows in the tables of 0.1.0."""
    golden_file = tmp_path / "golden.db"
    shutil.copy(GOLDEN / "golden" / "study.db", golden_file)
    if url.startswith("sqlite"):
        return f"sqlite:///{golden_file}"
    golden, copy = create_engine(f"sqlite:///{golden_file}"), create_engine(url)
    with golden.connect() as source, copy.begin() as target:
        FIRST_TABLES.create_all(target)
        for table in FIRST_TABLES.sorted_tables:
            rows = [dict(row) for row in source.execute(table.select()).mappings()]
            if rows:
                target.execute(insert(table), rows)
    golden.dispose()
    copy.dispose()
    return url


def contents(url: str) -> dict[str, Any]:
    """All rows by table."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))
            for name in inspect(connection).get_table_names()
        }
    engine.dispose()
    return rows


def golden_scores() -> dict[str, dict[str, float]]:
    """What the golden database says of each candidate, read as 0.1.0 wrote it."""
    with sqlite3.connect(GOLDEN / "golden" / "study.db") as connection:
        rows = connection.execute("SELECT id, jaccard, em, f1 FROM autoqa_candidates").fetchall()
    return {name: dict(zip(OLD_METRICS, scores, strict=True)) for name, *scores in rows}


def differences(connection: Connection) -> list[Any]:
    """Between the tables that are there and those that the code knows."""
    options = {
        "version_table": VERSION_TABLE,
        "include_name": lambda name, kind, _: kind != "table" or name.startswith("autoqa_"),
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_revisions_are_the_files() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    newest_first = [revision.revision for revision in script.walk_revisions()]
    assert tuple(reversed(newest_first)) == REVISIONS


@pytest.mark.parametrize("kind", ["url", "old_url"])
def test_tables_end_up_as_the_code_knows_them(
    request: pytest.FixtureRequest, url: str, kind: str
) -> None:
    address: str = request.getfixturevalue(kind)
    Store(address, "golden").close()
    engine = create_engine(address)
    with engine.connect() as connection:
        assert differences(connection) == []
        version = connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")).all()
        assert version == [REVISIONS[-1]]
        keys = inspect(connection).get_pk_constraint("autoqa_candidates")
        assert keys["constrained_columns"] == ["study", "id"]
    engine.dispose()


def test_a_study_of_0_1_0_keeps_every_value(old_url: str) -> None:
    before = contents(old_url)
    with Store(old_url, "golden") as store:
        records = store.candidates()
    after = contents(old_url)
    assert {record.id: record.scores for record in records} == golden_scores()
    files = RunFolder(GOLDEN / "golden")
    assert records == [files.read_record(record.id) for record in records]
    assert len(after["autoqa_candidates"]) == len(before["autoqa_candidates"]) == 10
    changed = {name for name in after if after[name] != before.get(name)}
    new = {"autoqa_searchers", VERSION_TABLE}
    assert changed == {"autoqa_candidates", "autoqa_study"} | new, (
        "Optuna's tables among the others"
    )


def test_twice_is_once(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(old_url, "golden").close()
    once = contents(old_url)
    monkeypatch.setattr(migrations, "_upgrade", None)
    Store(old_url, "golden").close()
    assert contents(old_url) == once


@pytest.mark.parametrize("version", [NEWER, "9f3a", "0000"])
def test_a_newer_version_is_refused_and_left_alone(old_url: str, version: str) -> None:
    Store(old_url, "golden").close()
    engine = create_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"))
    engine.dispose()
    before = contents(old_url)
    with pytest.raises(
        DataError,
        match=f"database has version {version}, and this autoqa reads versions up to "
        f"{REVISIONS[-1]}: install a newer autoqa$",
    ) as caught:
        Store(old_url, "golden")
    assert caught.value.exit_code == 2
    assert contents(old_url) == before


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the golden run."""
    shutil.copytree(GOLDEN, tmp_path / "home")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("command", ["leaderboard", "select", "retrain"])
def test_commands_refuse_a_newer_file_and_change_no_byte(
    home: Path, run: Run, command: str
) -> None:
    path = home / "golden" / "study.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32))")
        connection.execute(f"INSERT INTO {VERSION_TABLE} VALUES ('{NEWER}')")
    connection.close()
    before = path.read_bytes()
    code, out, err = run(command, "golden")
    assert (code, out) == (2, "")
    assert " ".join(err.split()).endswith(
        f"study.db: the study's database has version {NEWER}, and this autoqa reads versions up to "
        f"{REVISIONS[-1]}: install a newer autoqa"
    )
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.glob("study.db*")] == ["study.db"]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(GOLDEN / "golden" / "study.db", path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE _alembic_tmp_autoqa_candidates (in_the_way INTEGER)")
    address = f"sqlite:///{path}"
    before = contents(address)
    with pytest.raises(AutoqaError, match=r"cannot open the study's database: table .* exists"):
        Store(address, "golden")
    assert contents(address) == before
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE _alembic_tmp_autoqa_candidates")
    with Store(address, "golden") as store:
        assert {record.id: record.scores for record in store.candidates()} == golden_scores()


def test_nothing_is_logged_and_no_logger_changed(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    Store(url, "new").close()
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind, candidates", [("url", 0), ("old_url", 10)])
def test_several_processes_open_at_once(
    request: pytest.FixtureRequest, url: str, kind: str, candidates: int
) -> None:
    address: str = request.getfixturevalue(kind)
    spawn = multiprocessing.get_context("spawn")
    ready, outcomes = spawn.Barrier(4), spawn.Queue()
    processes = [
        spawn.Process(target=open_at_once, args=(address, ready, outcomes)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    seen = [outcomes.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert seen == [candidates] * 4
    engine = create_engine(address)
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()
