"""A finished search of toy models, and the bundle that it exports."""

import shutil
from pathlib import Path

import pytest

from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from tests import bundle_kit


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with one finished study that nobody has selected from or opened."""
    home = tmp_path_factory.mktemp("runs")
    bundle_kit.write_run(home)
    return home


@pytest.fixture
def toy(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy of the run, for one test."""
    shutil.copytree(searched, tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    return RunFolder(tmp_path / "runs" / "toy")


@pytest.fixture(scope="session")
def exported(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the folder of runs that was exported from, and the bundle."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(searched, folder / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(folder / "runs"))
        with pytest.raises(SystemExit) as caught:
            main(["export", "toy", "--to", str(folder / "bundle")])
    assert not caught.value.code
    return folder / "runs", folder / "bundle"


@pytest.fixture(scope="session")
def bundle(exported: tuple[Path, Path]) -> Path:
    """What `autoqa export` made of the run."""
    return exported[1]
