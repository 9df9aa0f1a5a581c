"""However a search ends: workers save what they have done, and nothing of them lives on."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autoqa import env
from autoqa.cli.main import main
from tests.searching import fakes
from tests.searching.test_search import gone, start, states, trials, wait_for_hang
from tests.toy_study import write_study


def helpers(home: Path) -> list[int]:
    """In the order in which they were started."""
    notes = sorted((home / "small").glob("helper-*"), key=lambda path: path.stat().st_mtime_ns)
    return [int(path.name.split("-")[1]) for path in notes]


def wait_for(home: Path, pattern: str, count: int) -> list[int]:
    for _ in range(600):
        found = list((home / "small").glob(pattern))
        if len(found) >= count:
            return [int(path.name.split("-")[1]) for path in found]
        signal.sigtimedwait((), 0.1)
    raise AssertionError(f"only {found}")


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_all_workers_save_when_a_search_is_asked_to_end(
    tmp_path: Path, home: Path, number: signal.Signals
) -> None:
    text = fakes.STUDY.replace("workers = 1", "workers = 3")
    process = start(tmp_path, "saves_when_stopped", text)
    running = wait_for(home, "hangs-*", 3)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert sorted(wait_for(home, "saved-*", 0)) == sorted(running)
    assert all(map(gone, running))
    assert states() == ["FAIL"] * 3 + ["WAITING"] * 3
    (home / "small" / "go").touch()
    result = fakes.search(tmp_path, fakes.saves_when_stopped, text)
    assert (result.finished, result.failed) == (4, 0)


def test_a_worker_that_is_told_to_end_by_others_saves_and_its_trial_goes_on(
    tmp_path: Path, home: Path
) -> None:
    process = start(tmp_path, "saves_when_stopped")
    worker = wait_for_hang(home)
    (home / "small" / "go").touch()
    os.kill(worker, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert wait_for(home, "saved-*", 1) == [worker]
    assert states() == ["FAIL"] + ["COMPLETE"] * 4
    assert trials()[1].user_attrs["continues"] == 0


def test_a_worker_with_nothing_to_save_ends_at_once_and_its_trial_goes_on(
    tmp_path: Path, home: Path
) -> None:
    process = start(tmp_path, "stays_once")
    os.kill(wait_for_hang(home), signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert states() == ["FAIL"] + ["COMPLETE"] * 4
    assert trials()[0].user_attrs["failure"] == "it was asked to stop"
    assert trials()[1].user_attrs["continues"] == 0


def dies_with_its_helper(tmp_path: Path, home: Path) -> tuple["subprocess.Popen[str]", int]:
    """A search whose first worker was killed, and whose second one stays."""
    process = start(tmp_path, "helped")
    worker = wait_for_hang(home)
    first, second = helpers(home)
    assert gone(first)  # with the worker that was killed
    os.kill(second, 0)
    return process, worker


def test_helpers_of_a_worker_end_with_it_and_with_an_orderly_search(
    tmp_path: Path, home: Path
) -> None:
    process, worker = dies_with_its_helper(tmp_path, home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert gone(worker)
    assert all(map(gone, helpers(home)))


@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_helpers_of_a_worker_end_with_a_killed_search(
    tmp_path: Path, home: Path, stopped: bool
) -> None:
    process, worker = dies_with_its_helper(tmp_path, home)
    if stopped:
        os.kill(worker, signal.SIGSTOP)
    process.kill()
    process.wait(timeout=60)
    assert gone(worker)
    assert all(map(gone, helpers(home)))


def test_a_real_run_goes_on_from_the_step_at_which_it_was_told_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    study = write_study(tmp_path, "trials = 1\nworkers = 1\n")
    study.write_text(study.read_text().replace("batch_size = 4", "batch_size = 4\nepochs = 20"))
    code = "from autoqa.cli.main import main; main()"
    command = [sys.executable, "-c", code, "search", "-v", str(study)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("trial 0: stage 1 of 1" in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    with pytest.raises(SystemExit) as caught:
        main(["search", str(study)])
    assert not caught.value.code
    log = (env.run_folder("toy") / "logs" / "search.log").read_text()
    assert "ended by SearchInterruptedError" in log
    (done, steps) = re.findall(r"goes on from .* interrupted: (\d+) of (\d+) steps are done", log)[
        0
    ]
    assert 0 < int(done) < int(steps)
