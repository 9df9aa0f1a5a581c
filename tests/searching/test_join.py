"""What a process that joins a search does before the search has begun."""

import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.data import StudyData
from autoqa.errors import ConfigError, DataError
from autoqa.registry.versions import environment
from autoqa.searching import join
from autoqa.searching.conditions import Conditions
from autoqa.store import database_url
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.interrupts import SearchInterruptedError
from tests.searching import fakes

CONDITIONS = Conditions("v", {}, {}, "token", None, 0.0, 3, [])


def test_a_signal_ends_the_wait_for_a_database_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_url, "SQLITE_BUSY_SECONDS", 0.1)
    path = tmp_path / "study.db"
    study_file = tmp_path / "small.toml"
    study_file.write_text(fakes.stored(f"sqlite:///{path}"))
    patience = Patience(60.0, tell=lambda _sentence: signal.raise_signal(signal.SIGINT))
    with Store(f"sqlite:///{path}", "small", patience) as store:
        store.close()  # its connections, which keep others from having the file alone
        begun = time.monotonic()
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(SearchInterruptedError, match="before the search began"):
                join._conditions(fakes.bind(study_file).study, store, fakes.Events())
    assert time.monotonic() - begun < 30


def test_conditions_of_another_version_are_refused() -> None:
    stated = CONDITIONS.as_json()
    assert Conditions.from_json(stated) == CONDITIONS
    with pytest.raises(DataError, match=r"newer version of autoqa.*'pace'"):
        Conditions.from_json(stated | {"pace": 1})
    del stated["history"]
    with pytest.raises(DataError, match="another version of autoqa"):
        Conditions.from_json(stated)


def test_other_tables_of_augmentations_are_refused(tmp_path: Path) -> None:
    """What they change rows by is no option, and has to be the same on all machines."""
    folder = RunFolder(tmp_path / "small")
    folder.path.mkdir()
    folder.mark("token")
    data = StudyData({}, (), ())
    stated = replace(CONDITIONS, environment=environment(), augmentations={"recipe.a": "one"})
    stated.check("small", data, folder, augmentations={"recipe.a": "one"})
    with pytest.raises(ConfigError, match=r"recipe\.a: its table or models are not those"):
        stated.check("small", data, folder, augmentations={"recipe.a": "other"})
