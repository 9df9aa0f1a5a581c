"""A finished search of toy models, copied for each test."""

import shutil
from pathlib import Path

import pytest

from autoqa.analysis.finished_run import StudyRun, open_run
from tests import bundle_kit


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with one finished study that nobody has selected from or opened."""
    home = tmp_path_factory.mktemp("runs")
    bundle_kit.write_run(home)
    return home


@pytest.fixture
def finished(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    """The run of four candidates, ``t0001-100`` to ``t0004-100``, in two groups."""
    shutil.copytree(searched, tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    return open_run("toy")
