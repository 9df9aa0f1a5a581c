"""A copy of a finished run with real predictions, brought up to date."""

import shutil
from pathlib import Path

import pytest

from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.upkeep.study_place import find_study

GOLDEN = Path(__file__).parents[1] / "golden" / "searched"


@pytest.fixture
def golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Ten candidates of five trials, four trials that failed, one that repeats another."""
    shutil.copytree(GOLDEN, tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    folder = RunFolder(tmp_path / "runs" / "golden")
    storage = find_study("golden").storage
    assert storage is not None
    with Store(storage, "golden"):
        pass
    return folder
