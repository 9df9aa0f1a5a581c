"""What the environment says is read as its writers mean it."""

import os

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
