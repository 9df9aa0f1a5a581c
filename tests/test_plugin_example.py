"""Packages that somebody else could have written pass their own tests, installed from wheels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "plugin_example"


@pytest.mark.parametrize(
    "tests",
    [
        "good/tests/test_source.py",
        "scores/tests",
        pytest.param("good/tests/test_augmentation.py", marks=pytest.mark.slow),
        pytest.param("good/tests/test_backbone.py", marks=pytest.mark.slow),
    ],
)
def test_its_own_tests_pass(plugin_folder: Path, tests: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, f"--rootdir={EXAMPLES}", str(EXAMPLES / tests)],
        env={**os.environ, "PYTHONPATH": str(plugin_folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def checked(*words: str) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-c", "from autoqa.cli.main import main; main()", "plugins", "check")
    return subprocess.run([*command, *words], capture_output=True, text=True)


def test_the_source_of_files_passes_the_checks() -> None:
    path = EXAMPLES.parent / "golden" / "data" / "exam.csv"
    done = checked("source", "file", "--options", f"path={path}", "--options", "language=en")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_all_plugins_of_the_project_pass_the_checks() -> None:
    """Of what is not on this machine all is checked that needs no weights and no rows."""
    done = checked("--all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " failed" not in done.stdout.splitlines()[-1]
