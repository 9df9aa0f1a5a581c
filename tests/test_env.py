"""What the environment says is read as its writers mean it."""

import os
import subprocess
import sys

import pytest

from autoqa.env import threads


@pytest.mark.parametrize("stated, expected", [("1", 1), ("4", 4), ("3,2", 3), (" 2 ", 2)])
def test_threads_are_those_that_openmp_may_use(
    stated: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert threads() == expected


@pytest.mark.parametrize("stated", ["", "0", "many", "-1"])
def test_without_a_number_there_is_a_thread_per_processor(
    stated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert threads() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("stated, expected", [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_asleep_unless_the_user_says_otherwise(
    stated: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if stated is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", stated)
    code = "import autoqa, os; print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == expected, done.stderr
