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

collect_ignore = ["plugin_example"]
"""Its tests are those of packages that have to be installed first."""

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
def data_folder() -> Path:
    """The folder of real question-answering data; tests that need it are skipped without it."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("AUTOQA_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: AUTOQA_DATA is unset and {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for sys.path in which pip has installed the wheels of plugin_example."""
    folder, wheels = (tmp_path_factory.mktemp(name) for name in ("site-packages", "wheels"))
    examples = Path(__file__).parent / "plugin_example"

    def pip(command: str, *arguments: str) -> None:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
        words = [sys.executable, "-m", "pip", command, *options, *arguments]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    packages = [str(examples / name) for name in ("good", "scores", "broken")]
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(wheels), *packages)
    pip("install", "--target", str(folder), *map(str, sorted(wheels.glob("*.whl"))))
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
