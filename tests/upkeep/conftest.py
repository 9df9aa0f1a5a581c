"""Fixtures of the commands that look after studies."""

import shutil
from pathlib import Path

import pytest

from autoqa.store.run_folder import RunFolder
from tests import bundle_kit


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs folder of a test; its cache stands beside."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("AUTOQA_HOME", str(folder))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs with one finished study of toy models."""
    folder = tmp_path_factory.mktemp("runs")
    bundle_kit.write_run(folder)
    return folder


@pytest.fixture
def toy(searched: Path, home: Path) -> RunFolder:
    """A copy of it, for one test."""
    shutil.copytree(searched, home)
    return RunFolder(home / "toy")
