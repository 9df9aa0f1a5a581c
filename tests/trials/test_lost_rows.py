"""What a database loses comes back from disk, under its numbers, and nothing is overwritten."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from autoqa.searching.setup import SearchOptions
from autoqa.store.checksums import SUMS
from autoqa.store.run_folder import TRIAL
from autoqa.store.study_tables import Store
from autoqa.trials import lost_rows
from autoqa.trials.lost_rows import give_back
from autoqa.trials.optuna_study import open_study
from tests.searching import fakes
from tests.store.damage import zero_half

Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    return tmp_path


def rows() -> Rows:
    """What Optuna knows of each trial."""
    study = open_study("small", fakes.run_folder().store_url(), 3)
    return [
        {
            "number": trial.number,
            "state": trial.state,
            "value": trial.value,
            "params": trial.params,
            "distributions": trial.distributions,
            "attributes": trial.user_attrs,
            "steps": trial.intermediate_values,
        }
        for trial in study.get_trials(deepcopy=False)
    ]


def files() -> dict[str, bytes]:
    """Content of all candidates' files."""
    folder = fakes.run_folder().candidates
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def complete(found: Rows) -> Rows:
    """Those that were trained to their end."""
    ended = [row for row in found if row["state"] == TrialState.COMPLETE]
    return [row for row in ended if "duplicate_of" not in row["attributes"]]


@dataclass
class Copying(fakes.Events):
    """Takes a copy of the database, without its log, at the end of each trial."""

    copies: list[bytes] = field(default_factory=list)

    def event(self, text: str) -> None:
        super().event(text)
        if " finished in " in text:
            self.copies.append(fakes.run_folder().database.read_bytes())


def remove_database() -> None:
    for path in fakes.run_folder().path.glob("study.db*"):
        path.unlink()


def truncate_database() -> None:
    fakes.run_folder().database.write_bytes(b"")


def zero_database() -> None:
    path = fakes.run_folder().database
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def flip_in_a_row() -> None:
    """One bit of a row's content: no tree of SQLite's is hurt."""
    with closing(sqlite3.connect(fakes.run_folder().database)) as connection:
        changed = connection.execute(
            "UPDATE trial_user_attributes SET value_json = replace(value_json, ']', '|') "
            "WHERE key = 'candidates'"
        )
        assert changed.rowcount == 4
        connection.commit()


def flip_in_a_candidates_row() -> None:
    with closing(sqlite3.connect(fakes.run_folder().database)) as connection:
        connection.execute("UPDATE autoqa_candidates SET scores = replace(scores, '}', '|')")
        connection.commit()


def overwrite_database() -> None:
    fakes.run_folder().database.write_bytes(b"no database at all" * 500)


def again(home: Path, trials: int = 4) -> fakes.Events:
    shown = fakes.Events()
    fakes.search(home, fakes.good, options=SearchOptions(trials=trials), display=shown)
    return shown


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (remove_database, None),
        (truncate_database, "it is empty"),
        (zero_database, ""),
        (flip_in_a_row, "trial_user_attributes holds"),
        (flip_in_a_candidates_row, "autoqa_candidates holds"),
        (overwrite_database, "file is not a database"),
    ],
)
def test_a_lost_database_comes_back_from_disk(
    home: Path, damage: Callable[[], None], problem: str | None
) -> None:
    fakes.search(home, fakes.good)
    before, kept = rows(), files()
    assert [row["state"] for row in before] == [TrialState.COMPLETE] * 4
    damage()
    shown = again(home)
    assert rows() == before, "all of it, to the last attribute"
    assert shown.said(
        "the database had no row of 4 trials (0, 1, 2, 3) and 8 candidates, which were adopted from"
    )
    assert files() == kept
    assert len(fakes.calls()) == 4, "nothing is trained again"
    aside = [path.name for path in fakes.run_folder().path.glob("study.db.damaged-*")]
    if problem is None:
        assert not aside
    else:
        assert len([name for name in aside if not name.endswith(("-wal", "-shm"))]) == 1
        assert shown.said(f"study.db is damaged ({problem}")
    with Store(fakes.run_folder().store_url(), "small") as store:
        assert len(store.candidates()) == 8
    again(home, trials=6)
    assert [row["number"] for row in rows()] == list(range(6))
    assert files().items() >= kept.items()
    assert rows()[:4] == before


def test_numbers_of_trials_that_left_nothing_are_not_given_out_again(home: Path) -> None:
    fakes.search(home, fakes.diverges_once)
    before = rows()
    assert before[0]["state"] == TrialState.FAIL
    remove_database()
    again(home, trials=5)
    after = rows()
    assert after[1 : len(before)] == before[1:]
    assert after[0]["state"] == TrialState.PRUNED
    assert after[0]["attributes"] == {"failure": "its row was lost with the database"}
    assert len(complete(after)) == 5, "a lost row counts for nothing"


def test_a_run_whose_end_is_not_on_disk_goes_on(home: Path) -> None:
    fakes.search(home, fakes.good)
    before = rows()
    last = fakes.run_folder().candidate("t0003-100")
    for path in sorted(last.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    last.rmdir()
    remove_database()
    again(home)
    after = rows()
    assert after[:3] == before[:3]
    assert after[3]["state"] == TrialState.FAIL
    assert after[3]["attributes"]["failure"] == "parent died"
    assert (after[4]["params"], after[4]["state"]) == (before[3]["params"], TrialState.COMPLETE)
    assert after[4]["attributes"]["continues"] == 3


def test_the_last_rows_of_a_database(home: Path) -> None:
    """A log that is damaged takes what was written last: the database as it is without."""
    shown = Copying()
    fakes.search(home, fakes.good, display=shown)
    before, kept = rows(), files()
    remove_database()
    fakes.run_folder().database.write_bytes(shown.copies[1])
    assert [row["value"] for row in complete(rows())] == [row["value"] for row in before[:2]], (
        "a trial that is over is in the database itself, not in its log"
    )
    last = fakes.run_folder().database.with_name("study.db-wal")
    last.write_bytes(bytes(range(256)) * 64)
    said = again(home)
    assert complete(rows()) == complete(before)
    assert files() == kept
    assert said.said("no row of 2 trials (2, ")


def test_a_running_row_gets_its_parameters_back(home: Path) -> None:
    fakes.search(home, fakes.good, options=SearchOptions(trials=1))
    folder, before = fakes.run_folder(), rows()
    remove_database()
    study = open_study("small", folder.store_url(), 3)
    study.ask()  # all that the log had of it
    assert give_back(study, folder, 1.0) == []
    (row,) = rows()
    assert row["params"] == before[0]["params"]
    assert row["attributes"] == before[0]["attributes"]
    assert (row["state"], row["value"]) == (TrialState.COMPLETE, before[0]["value"])


def test_a_trial_that_its_process_finishes_meanwhile_lacks_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process holds no lock when it tells the value."""
    fakes.search(home, fakes.good, options=SearchOptions(trials=1))
    folder = fakes.run_folder()
    remove_database()
    study = open_study("small", folder.store_url(), 3)
    trial = study.ask()
    look = lost_rows._row

    def finished_meanwhile(*arguments: Any) -> Any:
        study.tell(trial, 0.25)
        return look(*arguments)

    monkeypatch.setattr(lost_rows, "_row", finished_meanwhile)
    assert give_back(study, folder, 1.0) == []
    (row,) = rows()
    assert (row["state"], row["value"]) == (TrialState.COMPLETE, 0.25)


def test_candidates_of_earlier_versions_bring_what_they_have(home: Path) -> None:
    fakes.search(home, fakes.good)
    before = rows()
    for path in fakes.run_folder().candidates.glob("*/*.json"):
        if path.name in (TRIAL, SUMS, "finished.json"):
            path.unlink()
    remove_database()
    again(home, trials=6)
    after = rows()
    assert [row["value"] for row in after[:4]] == [row["value"] for row in before]
    assert all(row["params"] == {} for row in after[:4])
    assert [row["attributes"]["backbone"] for row in after[:4]] == [
        row["attributes"]["backbone"] for row in before
    ]
    assert len(fakes.calls()) == 6, "the finished ones count, and two more are trained"


def test_damaged_rows_on_disk_are_not_used(home: Path) -> None:
    fakes.search(home, fakes.good)
    folder, before = fakes.run_folder(), rows()
    path = folder.candidate("t0001-100") / "finished.json"
    path.write_text(path.read_text().replace('"value": 0.', '"value": 1.'))
    zero_half(folder.candidate("t0002-100") / "candidate.json")
    remove_database()
    shown = again(home)
    after = rows()
    assert after[1]["value"] == before[1]["value"], "that of the candidate itself"
    assert after[1]["params"] == before[1]["params"]
    assert shown.said("candidate t0002-100 is set aside as ")
    assert len(list(folder.damaged.iterdir())) == 1
    assert after[2]["attributes"]["failure"] == "parent died"
    assert sum(row["state"] == TrialState.COMPLETE for row in after) == 4


def test_the_study_on_disk_is_compared_with_where_the_database_is_lost(home: Path) -> None:
    from autoqa.errors import ConfigError

    fakes.search(home, fakes.good)
    remove_database()
    changed = fakes.STUDY.replace("share = [0.5, 1.0]", "share = [0.25, 1.0]")
    with pytest.raises(ConfigError, match="began with another study file"):
        fakes.search(home, fakes.good, changed)


def test_a_trials_row_is_json_with_a_digest(home: Path) -> None:
    fakes.search(home, fakes.good, options=SearchOptions(trials=1))
    row = json.loads((fakes.run_folder().candidate("t0000-50") / TRIAL).read_text())["content"]
    assert row["number"] == 0
    assert row["value"] is None
    assert row["params"].keys() == row["distributions"].keys()
    assert optuna.distributions.json_to_distribution(next(iter(row["distributions"].values())))
