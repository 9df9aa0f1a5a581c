"""Fixtures that more than one test package uses."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoqa.cli.main import main
from tests.postgres import Postgres

Run = Callable[..., tuple[int, str, str]]

# Processes of pytest-xdist get a width that nobody asked for, and tables would keep to it.
os.environ.pop("COLUMNS", None)

LONG = ("workers", "drill", "upkeep", "searching", "parallel", "training", "trials")
"""Packages of tests that take minutes; begun first, so that two processes end at the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        package = item.path.parent.name
        return LONG.index(package) if package in LONG else len(LONG)

    items.sort(key=place)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; returns exit code, stdout and stderr, those of libraries included."""

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return command


@pytest.fixture
def golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the golden folder, as the current folder: the study's paths are relative."""
    home = tmp_path / "copy"
    shutil.copytree(Path(__file__).parent / "golden", home)
    # A checkout writes files in any order, and a selection older than its candidates is made anew.
    os.utime(home / "searched" / "golden" / "selection.json")
    monkeypatch.chdir(home)
    monkeypatch.setenv("AUTOQA_HOME", "searched")
    monkeypatch.setenv("AUTOQA_CACHE", "cache")
    return home


@pytest.fixture(scope="session")
def made_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with two finished studies, ``made`` (with a selection) and ``other``."""
    from tests import report_kit

    home = tmp_path_factory.mktemp("made")
    made = report_kit.write_study(home, trials=12, questions=56)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(home))
        report_kit.select(made)
    report_kit.write_study(home, "other", trials=3, questions=56, seed=1)
    return home


@pytest.fixture
def made(made_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of those runs for one test; the folder of ``made``."""
    shutil.copytree(made_runs, tmp_path / "runs")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    return tmp_path / "runs" / "made"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real question-answering data; tests that need it are skipped without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AUTOQA_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: AUTOQA_DATA is unset and {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for sys.path in which pip has installed the distributions of plugin_example."""
    folder = tmp_path_factory.mktemp("site-packages")
    examples = Path(__file__).parent / "plugin_example"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder)]
    names = [str(examples / name) for name in ("good", "broken")]
    done = subprocess.run([*pip, *options, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server that all tests share."""
    # It runs as another user, who may not enter pytest's own folders once a second pytest begins.
    with Postgres(Path(tempfile.mkdtemp(prefix="autoqa-postgres-"))) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """The server, running and its database empty; a test may stop it."""
    postgres_server.empty()
    yield postgres_server
    postgres_server.start()
