"""``autoqa studies``: shown, renamed, removed and made small, all of it or nothing."""

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import create_engine, text

from autoqa.errors import AutoqaError
from autoqa.store.run_folder import RunFolder
from autoqa.store.sqlite_file import checkpoint
from autoqa.store.study_rows import StudyRows
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import dropped
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.upkeep.rename import renamed_text
from autoqa.upkeep.trial_counts import read_trials
from tests import bundle_kit
from tests.conftest import Run
from tests.postgres import Postgres
from tests.searching import fakes
from tests.searching.test_peers import process, wait_for

TRIALS = 2


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def study_text(request: pytest.FixtureRequest) -> str:
    """A study file with its database in the run folder, or on a server."""
    if request.param == "sqlite":
        return fakes.STUDY.replace("trials = 4", f"trials = {TRIALS}")
    server: Postgres = request.getfixturevalue("postgres")
    return fakes.stored(server.address, TRIALS)


def address(study: str, study_text: str) -> str:
    """Of the database of a study with such a file."""
    for line in study_text.splitlines():
        if line.startswith("storage"):
            return line.partition(" = ")[2].strip('"')
    return RunFolder(Path(os.environ["AUTOQA_HOME"]) / study).store_url()


def listed(run: Run) -> list[str]:
    code, out, err = run("studies", "list", "--json")
    assert code == 0, err
    return [each["study"] for each in json.loads(out)]


# show -------------------------------------------------------------------------------------------


def test_show_says_what_was_searched_chosen_and_opened(toy: RunFolder, run: Run) -> None:
    assert run("select", "toy")[0] == 0
    assert run("reveal", "toy", "--reason", "to see it")[0] == 0
    code, out, _ = run("studies", "show", "toy")
    assert code == 0
    assert bundle_kit.STUDY.strip() in out
    assert "selections: 1" in out
    assert "openings of the private part: 1" in out
    assert "reveal: to see it" in out
    assert "reads of the public part: 4 candidates" in out
    _, out, _ = run("studies", "show", "toy", "--json")
    found = json.loads(out)
    [selection] = found["selections"]
    assert selection["members"] == json.loads(toy.selection.read_text())["members"]
    assert found["study_file"] == bundle_kit.STUDY
    assert [each["reason"] for each in found["openings"]] == ["to see it"]


# rename -----------------------------------------------------------------------------------------


def test_a_renamed_study_goes_on_as_if_it_had_always_been_called_so(
    tmp_path: Path, home: Path, run: Run, study_text: str
) -> None:
    fakes.search(tmp_path, fakes.good, study_text)
    with Store(address("small", study_text), "small") as store:
        before = store.candidates()
        store.log_opening("a test")
    code, out, err = run("studies", "rename", "small", "other")
    assert code == 0, err
    assert 'write name = "other" in your own study file' in out
    assert (listed(run), sorted(path.name for path in home.iterdir())) == (["other"], ["other"])
    with Store(address("other", study_text), "other") as store:
        assert store.candidates() == before
        assert len(store.openings()) == 1
    renamed = study_text.replace('name = "small"', 'name = "other"')
    more = renamed.replace(f"trials = {TRIALS}", f"trials = {TRIALS + 1}")
    assert (home / "other" / "study.toml").read_text() == renamed
    calls = home / "other" / "calls.jsonl"
    assert len(calls.read_text().splitlines()) == TRIALS
    result = fakes.search(tmp_path, fakes.good, more)
    assert (result.study, result.finished) == ("other", TRIALS + 1)
    assert len(calls.read_text().splitlines()) == TRIALS + 1
    trials = read_trials(address("other", study_text), "other")
    assert len({TrialAttributes.of(trial).study_version for trial in trials}) == 1
    assert read_trials(address("other", study_text), "small") == []


def test_what_another_study_in_the_same_database_has_stays_its_own(
    tmp_path: Path, run: Run, postgres: Postgres
) -> None:
    text = fakes.stored(postgres.address, 2)
    fakes.search(tmp_path, fakes.good, text)
    fakes.search(tmp_path, fakes.good, text.replace('name = "small"', 'name = "twin"'))
    versions = {
        TrialAttributes.of(trial).study_version for trial in read_trials(postgres.address, "twin")
    }
    code, _, err = run("studies", "rename", "small", "twin")
    assert (code, "exists" in err) == (2, True)
    shutil.move(fakes.run_folder().path.with_name("twin"), tmp_path / "away")
    code, _, err = run("studies", "rename", "small", "twin")
    assert code == 2
    assert "there is a study of that name in the database" in err
    assert run("studies", "rename", "small", "third")[0] == 0
    shutil.move(tmp_path / "away", fakes.run_folder().path.with_name("twin"))
    assert listed(run) == ["third", "twin"]
    after = read_trials(postgres.address, "twin")
    assert {TrialAttributes.of(trial).study_version for trial in after} == versions
    assert run("studies", "rm", "third", "--yes")[0] == 0
    assert len(read_trials(postgres.address, "twin")) == len(after)
    assert read_trials(postgres.address, "third") == []
    with Store(postgres.address, "twin") as store:
        assert len(store.candidates()) == 4
    with StudyRows(postgres.address, "third") as rows:
        assert not rows.named("third")


@contextmanager
def searching(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    with process(folder, "slow_second", fakes.STUDY) as search:
        wait_for(lambda: list(fakes.run_folder().path.glob("hangs-*")))
        yield search


def test_a_study_that_somebody_works_on_is_left_alone(tmp_path: Path, run: Run) -> None:
    with searching(tmp_path) as search:
        for arguments in (
            ["rename", "small", "other"],
            ["rm", "small", "--yes"],
            ["compact", "small"],
        ):
            code, _, err = run("studies", *arguments)
            assert code == 1
            assert f"'small' is being worked on: search by process {search.pid} on" in err
        assert listed(run) == ["small"]
        assert search.poll() is None


def test_one_that_only_joined_counts_too(toy: RunFolder, run: Run) -> None:
    """A worker goes on where the process that leads has died."""
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other,
        Store(toy.store_url(), "toy") as store,
    ):
        name = store.enter("worker", leads=False)
        engine = create_engine(toy.store_url())
        with engine.begin() as connection:
            change = text("UPDATE autoqa_searchers SET pid = :pid, started = :started")
            started = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19]
            connection.execute(change, {"pid": other.pid, "started": started})
        code, _, err = run("studies", "rm", "toy", "--yes")
        assert code == 1
        assert f"worker by process {other.pid} on" in err
        assert toy.study_file.is_file()
        store.leave(name)
        engine.dispose()


@pytest.mark.parametrize(
    "new, said", [("Bad Name", "lower-case letters"), ("../up", "lower-case"), ("toy", "exists")]
)
def test_bad_names_are_refused(toy: RunFolder, run: Run, new: str, said: str) -> None:
    code, _, err = run("studies", "rename", "toy", new)
    assert code == 2
    assert said in err
    assert listed(run) == ["toy"]


def test_all_is_as_before_where_the_folder_cannot_be_moved(
    tmp_path: Path, home: Path, run: Run, study_text: str
) -> None:
    fakes.search(tmp_path, fakes.good, study_text)
    (home / "other").symlink_to(tmp_path / "nowhere")
    code, _, err = run("studies", "rename", "small", "other")
    assert code == 1
    assert "cannot be renamed" in err
    (home / "other").unlink()
    assert listed(run) == ["small"]
    assert fakes.run_folder().study_file.read_text() == study_text
    assert fakes.search(tmp_path, fakes.good, study_text).finished == TRIALS
    assert len(fakes.calls()) == TRIALS


@pytest.mark.parametrize("file_written", [False, True])
def test_a_rename_that_was_killed_is_finished_by_the_same_command(
    tmp_path: Path, home: Path, run: Run, study_text: str, file_written: bool
) -> None:
    fakes.search(tmp_path, fakes.good, study_text)
    folder = fakes.run_folder()
    changed = renamed_text(study_text, "other")
    with Store(address("small", study_text), "small") as store:
        mark = store.study_fingerprint()
    with StudyRows(address("small", study_text), "small") as rows:
        rows.rename("other", changed, f"{mark}")
    if file_written:
        folder.study_file.write_text(changed)
    assert run("studies", "rename", "small", "other")[0] == 0
    assert (listed(run), folder.path.exists()) == (["other"], False)
    code, out, _ = run("status", "other")
    assert (code, f"{TRIALS} of {TRIALS} finished" in out) == (0, True)


def test_variables_that_have_other_values_are_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "a")
    words = fakes.STUDY.replace('type = "any"', 'type = "any"\npath = "${PLACE}"', 1)
    fakes.search(tmp_path, fakes.good, words)
    monkeypatch.setenv("PLACE", "b")
    code, _, err = run("studies", "rename", "small", "other")
    assert code == 2
    assert "other values of its variables" in err
    monkeypatch.setenv("PLACE", "a")
    assert run("studies", "rename", "small", "other")[0] == 0
    assert 'path = "${PLACE}"' in (tmp_path / "runs" / "other" / "study.toml").read_text()


def test_only_the_name_of_the_study_changes_in_its_file() -> None:
    words = fakes.STUDY.replace("[recipe]", '[recipe]\n# name = "small"') + '# name = "small"\n'
    changed = renamed_text(words, "other")
    assert changed.replace('"other"', '"small"') == words
    assert changed.count("other") == 1
    changed = renamed_text(words.replace('name = "small"', "name='small'", 1), "b-2")
    assert changed.count('name="b-2"') == 1


# rm ---------------------------------------------------------------------------------------------


def test_rm_asks_in_a_terminal_and_takes_no_for_an_answer(toy: RunFolder, run: Run) -> None:
    def answered(word: str) -> tuple[int, str]:
        controller, terminal = pty.openpty()
        os.write(controller, f"{word}\n".encode())
        command = [sys.executable, "-c", "from autoqa.cli.main import main; main()"]
        done = subprocess.run(
            [*command, "studies", "rm", "toy"], stdin=terminal, capture_output=True, text=True
        )
        os.close(controller)
        os.close(terminal)
        return done.returncode, done.stdout

    code, out = answered("n")
    assert code != 0
    assert "candidates: 4, the highest" in out
    assert listed(run) == ["toy"]
    assert answered("y")[0] == 0
    assert (listed(run), toy.path.exists()) == ([], False)


def test_rm_is_refused_where_nobody_can_be_asked(
    toy: RunFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        code, _, err = run("studies", "rm", "toy")
    assert code == 2
    assert "--yes removes it unasked" in err
    assert listed(run) == ["toy"]


def test_rm_leaves_neither_rows_nor_files(
    tmp_path: Path, home: Path, run: Run, study_text: str
) -> None:
    fakes.search(tmp_path, fakes.good, study_text)
    where = address("small", study_text)
    code, out, err = run("studies", "rm", "small", "--yes")
    assert code == 0, err
    assert f"finished trials: {TRIALS}" in out
    assert list(home.iterdir()) == []
    if where.startswith("postgresql"):
        assert where not in out
        assert read_trials(where, "small") == []
        with StudyRows(where, "small") as rows:
            assert not rows.named("small")
    assert fakes.search(tmp_path, fakes.good, study_text).finished == TRIALS


def test_what_is_no_run_folder_is_never_removed(toy: RunFolder, home: Path, run: Run) -> None:
    mine = home / "mine"
    mine.mkdir()
    (mine / "study.toml").write_text(bundle_kit.STUDY.replace('"toy"', '"mine"'))
    (mine / "thesis.txt").write_text("three years of work")
    outside = home.parent / "outside"
    shutil.copytree(toy.path, outside)
    (home / "link").symlink_to(outside)
    for name in ("mine", "../outside", "link"):
        code, _, err = run("studies", "rm", name, "--yes")
        assert code == 2, err
    assert (mine / "thesis.txt").is_file()
    assert (outside / "study.db").is_file()
    assert sorted(path.name for path in mine.iterdir()) == ["study.toml", "thesis.txt"]


# compact ----------------------------------------------------------------------------------------


def write(path: Path, size: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def litter(folder: RunFolder) -> list[Path]:
    """What no later command needs."""
    old = write(folder.logs / "worker-0.log")
    long_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    return [
        old,
        write(folder.path / "checkpoints" / "stage-01.safetensors", 5000),
        write(folder.path / "checkpoints" / "run-02.safetensors", 5000),
        write(folder.candidates / ".t0009-100.partial" / "model" / "model.safetensors", 3000),
        write(folder.path / ".selection.json.77.partial"),
        write(folder.path / "retrained" / "candidates" / "t0001-100" / "x"),
        write(folder.ablation / "runs-0123456789ab" / "candidates" / "t0001-100" / "x"),
        write(folder.folds / "0123456789ab" / "fold-0-100" / "x"),
    ]


def bloat(folder: RunFolder) -> None:
    """Rows that came and went."""
    engine = create_engine(folder.store_url())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE gone AS SELECT zeroblob(500000) AS content"))
        connection.execute(text("DROP TABLE gone"))
    engine.dispose()
    checkpoint(folder.store_url())


def compacted(run: Run, *options: str) -> dict[str, int]:
    code, out, err = run("studies", "compact", "toy", "--json", *options)
    assert code == 0, err
    return {each["path"]: each["bytes"] for each in json.loads(out)}


def taken(folder: RunFolder) -> int:
    """Bytes, without the database's log, which goes whenever its last connection closes."""
    return sum(
        path.stat().st_size
        for path in folder.path.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    )


def test_compact_removes_litter_alone_and_says_so_beforehand(toy: RunFolder, run: Run) -> None:
    assert run("select", "toy")[0] == 0
    kept = write(toy.logs / "worker-1.log")
    found = litter(toy)
    bloat(toy)
    before, board = taken(toy), run("leaderboard", "toy")[1]
    planned = compacted(run, "--dry-run")
    assert taken(toy) == before
    gone = compacted(run)
    assert gone.keys() == planned.keys()
    assert planned[f"{toy.database}"] >= 500_000
    freed = before - taken(toy)
    # What was freed counts the log's index, too, 32 KiB.
    assert abs(freed - sum(gone.values())) <= 8192 + 32768
    assert freed > 510_000
    assert not any(path.exists() for path in found)
    assert kept.is_file()
    assert run("leaderboard", "toy")[1] == board
    assert run("export", "toy", "--to", str(toy.path.parent.parent / "bundle"))[0] == 0
    code, out, _ = run("studies", "compact", "toy")
    assert (code, "freed" in out) == (0, True)
    assert "checkpoints" not in out


def test_a_run_that_is_to_go_on_keeps_its_checkpoint(toy: RunFolder, run: Run) -> None:
    litter(toy)
    study = open_study("toy", toy.store_url(), 0)
    study.add_trial(create_trial(state=TrialState.WAITING))
    gone = compacted(run)
    names = {path.name for path in (toy.path / "checkpoints").iterdir()}
    assert names == {"run-02.safetensors"}
    assert (toy.folds / "0123456789ab").is_dir()
    assert f"{toy.path / 'checkpoints' / 'stage-01.safetensors'}" in gone


def test_weights_go_only_by_a_selection(toy: RunFolder, run: Run) -> None:
    code, _, err = run("studies", "compact", "toy", "--weights")
    assert code == 2
    assert "run `autoqa select toy` first" in err
    assert all(dropped(toy, name) is None for name in toy.candidate_ids())
    assert run("select", "toy", "--seats", "1")[0] == 0
    selection = json.loads(toy.selection.read_text())
    needed = {
        seat["id"] for pick in (selection, selection["best_public"]) for seat in pick["members"]
    }
    planned = compacted(run, "--weights", "--dry-run")
    assert all(dropped(toy, name) is None for name in toy.candidate_ids())
    compacted(run, "--weights")
    left = {name for name in toy.candidate_ids() if dropped(toy, name) is None}
    assert needed <= left < set(toy.candidate_ids())
    lost = set(toy.candidate_ids()) - left
    assert {str(toy.model(name) / "model.safetensors") for name in lost} <= planned.keys()
    assert run("export", "toy", "--to", str(toy.path.parent.parent / "bundle"))[0] == 0


def test_a_database_that_another_process_writes_to_is_not_packed(toy: RunFolder) -> None:
    engine = create_engine(toy.store_url())
    with engine.connect() as connection, StudyRows(toy.store_url(), "toy") as rows:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        rows.patience.seconds = 0.0
        with pytest.raises(AutoqaError, match="locked"):
            rows.pack()
        connection.rollback()
    engine.dispose()


def test_optunas_own_names_of_tables_are_those_that_are_renamed(tmp_path: Path) -> None:
    """What `StudyRows` changes directly is what Optuna reads."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=url, study_name="a")
    study.add_trial(create_trial(value=1.0, user_attrs={"study_version": "old", "other": "old"}))
    with Store(url, "a") as store:
        store.save_study("text", "old")
    with StudyRows(url, "a") as rows:
        rows.rename("b", "new text", "new")
    [trial] = optuna.load_study(storage=url, study_name="b").trials
    attributes: dict[str, Any] = trial.user_attrs
    assert attributes == {"study_version": "new", "other": "old"}
