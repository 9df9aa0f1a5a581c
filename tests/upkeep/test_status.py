"""``autoqa status``: of running, dead and damaged studies; looking changes nothing."""

import hashlib
import io
import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import create_engine, text

from autoqa.errors import AutoqaError, DataError
from autoqa.report import status as report
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.membership import taking_part
from autoqa.training.messages import DeviceUse, Progress
from autoqa.upkeep.status import study_status
from autoqa.upkeep.study_place import find_study
from tests.conftest import Run
from tests.postgres import Postgres
from tests.searching import fakes
from tests.searching.test_peers import process, wait_for


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a study's database that is not in its run folder."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'elsewhere.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.address


def shown(run: Run, *arguments: str, code: int = 0) -> Any:
    ended, out, err = run("status", *arguments, "--json")
    assert ended == code, err
    return json.loads(out)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_search_is_looked_at_while_it_runs_and_after_it_was_killed(
    tmp_path: Path, run: Run, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with process(tmp_path, "slow_second", address) as search:
        wait_for(lambda: list(fakes.run_folder().path.glob("hangs-*")))
        # What a worker does is renewed every few seconds.
        wait_for(
            lambda: [w["trial"] for w in shown(run, "small")["processes"][0]["workers"]] == [1]
        )
        found = shown(run, "small")
        trials = found["trials"]
        assert (trials["finished"], trials["running"], trials["interrupted"]) == (1, 1, 0)
        assert (found["wanted"], found["candidates"], found["running"]) == (6, 3, True)
        [leader] = found["processes"]
        assert (leader["purpose"], leader["pid"]) == ("search", search.pid)
        assert leader["alive"]
        assert leader["silent_seconds"] < 60
        [worker] = leader["workers"]
        assert (worker["trial"], worker["worker"]) == (1, 0)
        assert worker["backbone"] in ("e5", "minilm")
        assert found["disk"]["predictions"] > 0
        _, out, _ = run("status")
        assert f"search by process {search.pid} on" in " ".join(out.split())
        assert "1 of 6" in out
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "another machine"))
    found = shown(run, "small", "--storage", address)
    assert (found["trials"]["running"], found["trials"]["interrupted"]) == (0, 1)
    assert not found["running"]
    assert (found["disk"], found["folder"], found["candidates"]) == (None, None, 3)
    _, out, _ = run("status", "small", "--storage", address)
    assert "its process has ended" in out
    assert "its run folder is not on this machine" in out
    assert not (tmp_path / "another machine").exists()


def test_looking_changes_no_file(tmp_path: Path, run: Run, home: Path) -> None:
    with process(tmp_path, "good", fakes.STUDY) as search:
        assert search.wait(60) == 0
    before = digests(home)
    assert run("status")[0] == 0
    code, out, _ = run("status", "small")
    assert code == 0
    assert "4 of 4 finished, 0 running, 0 waiting, 0 failed" in out
    assert "nobody works on it" in out
    assert digests(home) == before


def test_a_store_that_only_looks_refuses_every_change(address: str) -> None:
    with Store(address, "small") as store:
        store.save_study("a text")
    with Store(address, "small", Patience(0.0), read_only=True) as store:
        assert store.study_text() == "a text"
        with pytest.raises(AutoqaError, match=r"read-?only"):
            store.save_study("another text")
    with Store(address, "small") as store:
        assert store.study_text() == "a text"


def test_a_database_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    path = tmp_path / "odd? 100% #1.db"
    with pytest.raises(AutoqaError, match="unable to open database file"):
        Store(f"sqlite:///{path}", "small", Patience(0.0), read_only=True)
    assert list(tmp_path.iterdir()) == []
    with Store(f"sqlite:///{path}", "small") as store:
        store.save_study("a text")
    with Store(f"sqlite:///{path}", "small", Patience(0.0), read_only=True) as store:
        assert store.study_text() == "a text"


def test_nobody_is_waited_for(tmp_path: Path, run: Run) -> None:
    """Neither who holds the study nor who writes to its database."""
    fakes.search(tmp_path, fakes.good)
    folder = fakes.run_folder()
    with Store(folder.store_url(), "small") as store, store.exclusively():
        writer = sqlite3.connect(folder.database)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE autoqa_study SET toml = 'half'")
        assert shown(run, "small")["trials"]["finished"] == 4
        writer.rollback()
        writer.close()


def test_a_lease_that_is_over_is_told_so(toy: RunFolder, run: Run) -> None:
    with Store(toy.store_url(), "toy") as store:
        name = store.enter("search", leads=True)
        engine = create_engine(toy.store_url())
        with engine.begin() as connection:
            change = "UPDATE autoqa_searchers SET machine = 'far/1', beat = datetime('now', :age)"
            connection.execute(text(change), {"age": "-95 seconds"})
        found = shown(run, "toy")
        assert not found["running"]
        assert not found["processes"][0]["alive"]
        _, out, _ = run("status", "toy")
        assert "95 s ago; its lease is over" in out or "96 s ago; its lease is over" in out
        store.leave(name)
        engine.dispose()


@contextmanager
def at_work(folder: RunFolder, minutes: float | None, began: float) -> Iterator[None]:
    """Somebody searches with a limit, and has two workers."""
    with Store(folder.store_url(), "toy") as store:
        conditions = {"version": "", "environment": {}, "data": {}, "folder": ""}
        limit = {"minutes": minutes, "start": began, "trials": 12}
        store.save_conditions(conditions | limit)
        with taking_part(store, "search", leads=True) as member:
            for worker in range(2):
                use = DeviceUse("CPU", 1, 1_230_000_000)
                place = (worker, "training", 1, 2, 120, 4000)
                progress = Progress(*place, 1.5, 31.6, 95.0, use)
                member.working(worker, "a-backbone-with-a-long-name", progress)
            store.beat(member.id, list(member.workers.values()))
            yield


def test_time_and_workers_of_a_search_and_all_fits_80_columns(toy: RunFolder, run: Run) -> None:
    with at_work(toy, 30, time.time()):
        code, out, _ = run("status", "toy")
        assert code == 0
        assert "time limit: 30 min, 30 min left" in out
        assert "0 of 12 finished" in out
        found = study_status(find_study("toy"))
        console = Console(file=io.StringIO(), width=80)
        workers = report.worker_table(found.searchers)
        tables = [report.overview_table([found]), report.process_table(found.searchers), workers]
        for each in tables:
            assert each is not None
            console.print(each)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    assert max(map(len, printed.splitlines())) <= 80
    assert "120 of 4000" in printed
    assert "training," in printed
    assert "95 s" in printed
    wide = Console(file=io.StringIO(), width=160)
    wide.print(workers)
    assert isinstance(wide.file, io.StringIO)
    assert "1.2 GB" in wide.file.getvalue()


def test_an_earlier_searchs_limit_is_not_taken_for_the_present_ones(toy: RunFolder) -> None:
    with at_work(toy, 30, time.time() - 7000):
        assert study_status(find_study("toy")).limit is None
    with at_work(toy, None, time.time()):
        assert study_status(find_study("toy")).limit is None
    assert study_status(find_study("toy")).limit is None


def test_what_is_on_disk_is_said_where_the_database_is_damaged(toy: RunFolder, run: Run) -> None:
    toy.database.write_bytes(b"no database at all " * 1000)
    code, out, err = run("status", "toy")
    assert code == 1
    assert "candidates: 4, the highest" in out
    assert "weights" in out
    assert [line for line in err.splitlines() if line] == [
        f"Error: sqlite:///{toy.database}: cannot open the study's database: file is not a database"
    ]
    found = shown(run, "toy", code=1)
    assert (found["trials"], found["candidates"]) == (None, 4)
    assert "not a database" in found["problem"]


def test_one_broken_study_hides_no_other(toy: RunFolder, home: Path, run: Run) -> None:
    shutil.copytree(toy.path, home / "broken")
    (home / "broken" / "study.toml").write_text("name = [")
    code, out, err = run("status")
    assert code == 2
    rows = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert "not known" in rows["broken"]
    assert "0 of" in rows["toy"]
    assert f"{home / 'broken' / 'study.toml'}: " in err
    assert run("studies", "list")[:2] == (code, out)


def test_a_server_that_is_away(tmp_path: Path, postgres: Postgres, run: Run) -> None:
    fakes.search(tmp_path, fakes.good, fakes.stored(postgres.address, trials=2))
    postgres.stop()
    code, out, err = run("status", "small")
    assert code == 1
    assert "candidates: 4, the highest" in out
    assert re.search(r"has not answered for \d+ s", err)
    assert len(err.splitlines()) == 1


def test_tables_of_an_earlier_version_stay_as_they_are(golden: Path, run: Run) -> None:
    database = golden / "searched" / "golden" / "study.db"
    before = database.read_bytes()
    code, out, err = run("status", "golden")
    assert (code, database.read_bytes()) == (DataError.exit_code, before)
    assert "candidates: 10" in out
    assert "of an earlier version of autoqa" in err
    assert run("leaderboard", "golden")[0] == 0
    code, out, _ = run("status", "golden")
    assert code == 0
    assert "5 of 7 finished" in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["toi"], "did you mean 'toy'?"),
        (["other", "--storage", "sqlite:///{home}/toy/study.db"], "no study of that name"),
        (["--storage", "sqlite:///x.db"], "--storage goes with the name of a STUDY"),
        (["toy", "--storage", "mysql://x/y"], "studies are kept in SQLite"),
    ],
)
def test_bad_arguments(
    toy: RunFolder, home: Path, run: Run, arguments: list[str], said: str
) -> None:
    code, _, err = run("status", *(each.format(home=home) for each in arguments))
    assert code == 2
    assert said in " ".join(err.split())


def test_no_study_at_all(run: Run, home: Path) -> None:
    code, out, _ = run("status")
    assert (code, str(home) in out) == (0, True)
    assert shown(run) == []


def test_a_report_brings_tables_of_an_earlier_version_up_to_date(
    golden: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "page.html"
    assert run("report", "golden", "--to", target)[::2] == (0, "")
    assert "t0000-100" in target.read_text(encoding="utf-8")
    assert run("status", "golden")[0] == 0


def test_tables_of_an_earlier_version_that_cannot_be_changed(golden: Path, run: Run) -> None:
    with closing(sqlite3.connect(golden / "searched" / "golden" / "study.db")) as database:
        database.execute("CREATE TABLE autoqa_searchers (id TEXT)")
    code, out, err = run("report", "golden", "--markdown")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"Error: .*study\.db: cannot open the study's database: .*exists.*\n", err)
