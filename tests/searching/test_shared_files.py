"""Processes that share a database and a URL, and no folder."""

import json
import shutil
import signal
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from autoqa.analysis.finished_run import open_run
from autoqa.cli.main import main
from autoqa.errors import ConfigError
from autoqa.searching.retention import retain
from autoqa.store.artifacts import Artifacts
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, dropped
from tests import toy_study
from tests.object_store import URL, ObjectStore, s3, started_store
from tests.searching import fakes
from tests.searching.test_peers import process, wait_for
from tests.store.test_artifacts import home, record, write

__all__ = ["s3", "started_store"]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a folder, where it makes no difference that it is no server."""
    (tmp_path / "shared").mkdir()
    return f"file://{tmp_path}/shared"


def write_study(folder: Path, url: str, trials: int = 4) -> str:
    storage = f"sqlite:///{folder}/study.db"
    text = fakes.stored(storage, trials).replace("storage =", f'files = "{url}"\nstorage =')
    (folder / "study.toml").write_text(text)
    return text


def trials(folder: Path) -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/study.db")
    found = optuna.load_study(study_name="small", storage=storage).trials
    return [trial for trial in found if "duplicate_of" not in trial.user_attrs]


def ids(folder: Path) -> list[str]:
    with Store(f"sqlite:///{folder}/study.db", "small") as store:
        return [each.id for each in store.candidates()]


def shared(folder: Path, url: str) -> list[str]:
    return Artifacts(RunFolder(folder / "nobody" / "small"), url).candidates()


def check(folder: Path, url: str, count: int) -> None:
    states = [trial.state for trial in trials(folder)]
    assert states.count(TrialState.COMPLETE) == count
    assert not {TrialState.RUNNING, TrialState.WAITING} & set(states)
    assert shared(folder, url) == ids(folder)


def test_two_homes_search_one_study_and_a_third_sees_all_of_it(
    tmp_path: Path, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_study(tmp_path, URL, 6)
    with (
        process(tmp_path, "paced", text, home="a") as first,
        process(tmp_path, "paced", "join", home="b") as second,
    ):
        said = [each.communicate(timeout=60)[1] for each in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], said
    check(tmp_path, URL, 6)
    own = [set(RunFolder(tmp_path / name / "small").candidate_ids()) for name in "ab"]
    assert all(own)
    assert not own[0] & own[1]
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "c"))
    run = open_run(str(tmp_path / "study.toml"))
    assert [each.id for each in run.candidates()] == ids(tmp_path)
    assert len(run.folder.load_examples("public")) == 4
    with pytest.raises(ConfigError, match="sealed"):
        run.folder.load_examples("private")
    assert len(run.folder.load_examples("private", run.store.log_opening("test"))) == 6
    run.store.close()
    assert [each.id for each in open_run("small").candidates()] == ids(tmp_path)


def test_a_server_that_is_away_for_a_while_costs_nothing(tmp_path: Path, s3: ObjectStore) -> None:
    text = write_study(tmp_path, URL)
    with process(tmp_path, "paced", text, home="a") as search:
        wait_for(lambda: shared(tmp_path, URL))
        s3.stop()
        time.sleep(2.5)
        s3.start()
        said = search.communicate(timeout=60)[1]
        assert search.returncode == 0, said
    assert f"the file store {URL} has not answered for" in said
    assert "results wait on disk; trying again" in said
    assert f"the file store {URL} answers again after" in said
    check(tmp_path, URL, 4)


def test_what_could_not_be_uploaded_is_uploaded_later(tmp_path: Path, s3: ObjectStore) -> None:
    text = write_study(tmp_path, URL)
    log = tmp_path / "a" / "small" / "logs" / "search.log"
    with process(tmp_path, "paced", text, home="a") as search:
        wait_for(lambda: shared(tmp_path, URL))
        s3.stop()
        try:
            wait_for(lambda: "has not answered" in log.read_text())
            search.send_signal(signal.SIGINT)
            said = search.communicate(timeout=30)[1]
        finally:
            s3.start()
    assert search.returncode == 130, said
    assert "while its database or files were away; what finished is kept" in said
    assert "Traceback" not in said
    here = RunFolder(tmp_path / "a" / "small").candidate_ids()
    assert len(here) > len(shared(tmp_path, URL))
    with process(tmp_path, "paced", text, home="a") as search:
        said = search.communicate(timeout=60)[1]
        assert search.returncode == 0, said
    assert "was complete on disk and is written down now" in said
    check(tmp_path, URL, 4)
    assert set(here) <= set(shared(tmp_path, URL))


def test_a_lost_database_and_a_lost_machine(tmp_path: Path, url: str) -> None:
    text = write_study(tmp_path, url)
    with process(tmp_path, "good", text, home="a") as search:
        assert search.communicate(timeout=60)[0] is None
        assert search.returncode == 0
    before = shared(tmp_path, url)
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "study.db").unlink()
    text = write_study(tmp_path, url, 6)
    with process(tmp_path, "good", text, home="b") as search:
        said = search.communicate(timeout=60)[1]
        assert search.returncode == 0, said
    assert "which were adopted from" in said
    assert set(before) < set(shared(tmp_path, url))
    check(tmp_path, url, 6)
    assert len(fakes_calls(tmp_path / "b")) == 2


def fakes_calls(folder: Path) -> list[str]:
    return (folder / "small" / "calls.jsonl").read_text().splitlines()


def test_files_may_be_shared_from_now_on(tmp_path: Path, url: str) -> None:
    write_study(tmp_path, url)
    alone = fakes.stored(f"sqlite:///{tmp_path}/study.db", 2)
    fakes.search(tmp_path, fakes.good, alone)
    events = fakes.Events()
    fakes.search(tmp_path, fakes.good, write_study(tmp_path, url, 4), display=events)
    assert events.said("uploaded from here: t0000-100, t0000-50, t0001-100")
    check(tmp_path, url, 4)


def test_another_url_is_refused(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = write_study(tmp_path, url)
    fakes.search(tmp_path, fakes.good, text)
    (tmp_path / "study.toml").write_text(text.replace(f'files = "{url}"', ""))
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "b"))
    with pytest.raises(ConfigError, match=rf"\[search\] files is not set here, and {url} in the"):
        fakes.join(tmp_path, fakes.good)


def test_a_bucket_that_is_not_there_ends_the_search_before_it_begins(
    tmp_path: Path, s3: ObjectStore
) -> None:
    text = write_study(tmp_path, "s3://nowhere/x")
    with pytest.raises(ConfigError, match="there is no such bucket or folder"):
        fakes.search(tmp_path, fakes.good, text)
    assert not (tmp_path / "study.db").exists()


def test_the_quota_is_that_of_all_machines(tmp_path: Path, url: str) -> None:
    a, b = home(tmp_path, "a"), home(tmp_path, "b")
    folders = (a, b)
    stores = [
        Store(f"sqlite:///{tmp_path}/study.db", "toy", files=Artifacts(each, url, Patience()))
        for each in folders
    ]
    for number, jaccard in enumerate((0.9, 0.8, 0.7)):
        made = record(f"t{number:04d}-100", jaccard)
        write(folders[number % 2], made, 100)
        stores[number % 2].add_candidate(made)
    files = stores[0].files
    assert files is not None
    assert set(files.weights(fresh=True)) == {"t0000-100", "t0001-100", "t0002-100"}
    [said] = retain(b, stores[1], 250 / 1024**3)
    assert "candidate t0002-100: its weights were dropped" in said
    assert set(files.weights(fresh=True)) == {"t0000-100", "t0001-100"}
    assert (a.model("t0002-100") / WEIGHTS).exists()
    new = record("t0003-100", 0.1)
    write(a, new, 100)
    [said] = retain(a, stores[0], 250 / 1024**3, newcomer=new)
    assert "candidate t0003-100: its weights were dropped" in said
    stores[0].add_candidate(new)
    assert set(files.weights(fresh=True)) == {"t0000-100", "t0001-100"}
    # What others dropped is dropped here, too.
    assert dropped(a, "t0002-100") is not None
    assert not (a.model("t0002-100") / WEIGHTS).exists()
    for store in stores:
        store.close()


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert not caught.value.code


def test_a_machine_that_never_searched_selects_averages_and_exports(
    tmp_path: Path,
    s3: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    tail = f'trials = 2\nworkers = 1\nfiles = "{URL}"\nstorage = "{storage}"\n'
    study = toy_study.write_study(tmp_path, tail)
    toy_study.search_study(study)
    shutil.rmtree(tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    folder = RunFolder(tmp_path / "c" / "toy")
    run("leaderboard", str(study))
    assert "t0001-100" in capfd.readouterr().out
    shutil.rmtree(folder.candidate("t0000-100"))
    run("leaderboard", "toy", "--compare", "t0000-100", "t0001-100")
    run("select", "toy")
    assert not list(folder.candidates.glob("*/model"))
    run("soup", "toy", "t0000-100", "t0001-100")
    assert {path.parent.parent.name for path in folder.candidates.glob(f"*/model/{WEIGHTS}")} >= {
        "t0000-100",
        "t0001-100",
    }
    run("select", "toy")
    chosen = {each["id"] for each in json.loads(folder.selection.read_text())["members"]}
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "d"))
    run("select", str(study))
    run("export", "toy", "--to", str(tmp_path / "bundle"))
    there = RunFolder(tmp_path / "d" / "toy")
    found = {path.parent.parent.name for path in there.candidates.glob(f"*/model/{WEIGHTS}")}
    assert found == chosen
    run("reveal", "toy", "--reason", "the paper")
    assert "the paper" in there.openings.read_text()
    run("studies", "compact", "toy", "--weights")
    run("studies", "rm", "toy", "--yes")
    assert s3.names() == []


def test_weights_that_a_run_begins_with_come_to_the_machine_that_trains_it(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = f"sqlite:///{tmp_path}/study.db"
    tail = f'trials = 2\nworkers = 1\nrounds = 2\nfiles = "{url}"\nstorage = "{storage}"\n'
    study = toy_study.write_study(tmp_path, tail)
    toy_study.search_study(study)
    shutil.rmtree(tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    run("search", str(study), "--trials", "3", "--quiet")
    folder = RunFolder(tmp_path / "c" / "toy")
    assert folder.read_record("t0002-100").begins_with == ("t0000-100",)
    assert (folder.model("t0000-100") / WEIGHTS).is_file()
    assert not (folder.model("t0001-100") / WEIGHTS).exists()
