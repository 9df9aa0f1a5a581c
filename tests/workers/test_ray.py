"""Searches on a Ray cluster of several nodes, all on this machine, some of which are lost."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from autoqa.errors import AutoqaError
from tests.searching import fakes
from tests.workers import ray_kit
from tests.workers.ray_kit import SIX, ThreeNodes, hanging, kept, search, until

pytestmark = pytest.mark.slow

SEARCH = """
import sys
from pathlib import Path
from autoqa.cli.terminal import complain
from autoqa.errors import AutoqaError
from tests.workers import ray_kit

if __name__ == "__main__":
    try:
        ray_kit.search(Path(sys.argv[1]), ray_kit.hangs_once, sys.argv[2], workers=2)
    except AutoqaError as error:
        complain(str(error))
        sys.exit(error.exit_code)
"""
"""A search in a process of its own, whose first trial never ends."""


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def begin(folder: Path, three: ThreeNodes) -> tuple["subprocess.Popen[str]", list[int]]:
    """Starts such a search; gives its process, and those of the hanging trial up to the node."""
    script = folder / "begin.py"
    script.write_text(SEARCH)
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder), three.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pid = hanging()
    until(lambda: ray_kit.recorded() >= 3)
    return process, three.below_node(pid)


def test_all_trials_finish_once_though_a_node_is_lost(tmp_path: Path, three: ThreeNodes) -> None:
    def lose() -> None:
        pid = hanging()
        until(lambda: len(fakes.calls()) >= 2)
        three.lose(pid)

    enemy = threading.Thread(target=lose)
    enemy.start()
    result, events = search(tmp_path, ray_kit.hangs_once, three.address, SIX, workers=3)
    enemy.join()
    three.nodes.append(three.add())
    assert (result.finished, result.failed) == (6, 0)
    assert len(kept()) == 6
    assert len({call["trial"] for call in fakes.calls()}) == len(fakes.calls()) == 6
    assert events.said("was lost; queued again in forward passes of half the size")


def test_a_study_goes_from_here_to_ray_and_back(tmp_path: Path, three: ThreeNodes) -> None:
    for trials, address in ((1, None), (3, three.address), (4, None)):
        result, _ = search(tmp_path, fakes.good, address, trials=trials)
        assert (result.finished, result.failed) == (trials, 0)
        assert (fakes.run_folder().logs / "ray.log").exists() is (trials > 1)
    assert len(kept()) == 4
    assert not list(fakes.run_folder().path.glob(".shared-*"))


def test_deaths_in_a_trial_are_told_apart(tmp_path: Path, three: ThreeNodes) -> None:
    result, events = search(tmp_path, ray_kit.exits_once, three.address, trials=1)
    assert (result.finished, result.failed) == (1, 0)
    assert events.said("worker ended by itself with exit code 7; see ")
    assert events.said("/logs/worker-0.log (node ")
    assert "the end is near" in (fakes.run_folder().logs / "worker-0.log").read_text()
    (fakes.run_folder().path / "marker").unlink()
    result, events = search(tmp_path, fakes.killed_once, three.address, trials=2)
    assert (result.finished, result.failed) == (2, 0)
    assert events.said("SIGKILL, often the kernel's way of saying out of memory")
    assert events.said("queued again in forward passes of half the size")


def test_an_actor_and_a_connection_that_are_killed(tmp_path: Path, three: ThreeNodes) -> None:
    def kill(which: int) -> None:
        os.kill(three.below_node(hanging())[which], signal.SIGKILL)

    enemy = threading.Thread(target=kill, args=(1,))  # the child's parent
    enemy.start()
    result, events = search(tmp_path, ray_kit.hangs_once, three.address, trials=1)
    enemy.join()
    assert (result.finished, result.failed) == (1, 0)
    assert events.said("lost the worker's actor: ")

    for name in ("marker", "hangs"):
        (fakes.run_folder().path / name).unlink()

    def kill_driver() -> None:
        hanging()
        for process in ray_kit.drivers(os.getpid()):
            os.kill(process, signal.SIGKILL)

    enemy = threading.Thread(target=kill_driver)
    enemy.start()
    with pytest.raises(AutoqaError, match=r"the Ray cluster at .* is lost; .*ray\.log\. What fin"):
        search(tmp_path, ray_kit.hangs_once, three.address, trials=2)
    enemy.join()
    result, events = search(tmp_path, fakes.good, three.address, trials=2)
    assert (result.finished, result.failed) == (2, 0)
    assert len(kept()) == 2


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_nothing_of_a_search_outlives_it(
    tmp_path: Path, three: ThreeNodes, number: int, code: int
) -> None:
    process, training = begin(tmp_path, three)
    driver = ray_kit.drivers(process.pid)
    assert driver
    os.killpg(process.pid, number)  # as a terminal does
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert ("the search was interrupted; what finished is kept" in said) is (code == 130)
    assert not any(word in said for word in ("raylet", "INFO", "Traceback"))
    until(lambda: not any(map(alive, [*training, *driver])), 20)
    assert three.alive() == 4
    done = len(kept())
    result, _ = search(tmp_path, fakes.good, None)
    assert (result.finished, done) == (4, 3)


def test_workers_without_a_place_wait_for_one(tmp_path: Path, three: ThreeNodes) -> None:
    options: dict[str, Any] = {"workers": 4}
    result, events = search(tmp_path, ray_kit.slow, three.address, **options)
    assert (result.finished, result.failed) == (4, 0)
    assert events.said("as asked for; the cluster has 3 places now, the others wait")
    assert events.said("waits for the cluster to give it a place")
