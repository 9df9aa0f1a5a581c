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
        "good/tests/test_augmentation.py",
        "scores/tests",
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


FIRST_PARTY = {
    "source demo": (),
    "source file": ("--options", "path={golden}/exam.csv", "--options", "language=en"),
    "augmentation cutout": (),
    "augmentation random-crop": (),
    "backbone minilm-l6": (),
    "backbone e5-small": (),
}
SLOW = ("backbone minilm-l6", "backbone e5-small")


@pytest.mark.parametrize(
    "plugin",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in FIRST_PARTY],
)
def test_plugins_of_the_project_pass_the_checks(plugin: str) -> None:
    golden = EXAMPLES.parent / "golden" / "data"
    options = [word.format(golden=golden) for word in FIRST_PARTY[plugin]]
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from autoqa.cli.main import main; main()"),
            *("plugins", "check", *plugin.split(), *options),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
