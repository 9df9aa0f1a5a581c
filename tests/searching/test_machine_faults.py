"""When trials start again after a fault of the machine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoqa.errors import MachineFaultError
from autoqa.searching.machine_faults import (
    BACK_OFF,
    MOST_IN_ROW,
    MOST_WAIT,
    MachineFaults,
    missing_on_disk,
)
from autoqa.store.run_folder import RunFolder


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def faults(folder: Path) -> tuple[MachineFaults, Clock, list[str]]:
    run, clock, said = RunFolder(folder), Clock(), list[str]()
    run.create()
    return MachineFaults(run, said.append, clock), clock, said


def test_the_wait_grows_and_a_finished_trial_ends_it(tmp_path: Path) -> None:
    machine, clock, said = faults(tmp_path)
    assert machine.over(idle=True)
    for seconds in BACK_OFF:
        machine.occurred("worker was killed")
        clock.now += seconds - 1
        assert not machine.over(idle=True)
        assert machine.waiting == f"{seconds:.0f} s to pass"
        clock.now += 1
        assert machine.over(idle=True)
    assert said[-2:] == [
        "no trial starts until there is hope again: waiting for 60 s to pass",
        "trials start again",
    ]
    machine.finished()
    machine.occurred("worker was killed")
    clock.now += BACK_OFF[0]
    assert machine.over(idle=True)


def test_a_run_that_is_tried_in_another_way_waits_for_nothing(tmp_path: Path) -> None:
    machine, _, said = faults(tmp_path)
    machine.occurred("out of memory", remedied=True)
    assert machine.over(idle=True)
    assert not said


def test_too_many_faults_end_the_search_when_nothing_may_be_finished_any_more(
    tmp_path: Path,
) -> None:
    machine, _, _ = faults(tmp_path)
    for _ in range(MOST_IN_ROW):
        machine.occurred("worker was killed", remedied=True)
    assert not machine.over(idle=False)
    with pytest.raises(MachineFaultError, match="5 runs in a row were lost, the last one because"):
        machine.over(idle=True)
    machine.finished()
    assert machine.over(idle=True)


def test_only_idle_time_is_a_wait_and_a_long_one_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, clock, _ = faults(tmp_path)
    monkeypatch.setattr(
        "autoqa.searching.machine_faults.missing_on_disk", lambda _: "3 MiB, of which it has none"
    )
    machine.occurred("No space left on device", disk=True)
    assert machine.waiting == "3 MiB, of which it has none"
    clock.now += 10 * MOST_WAIT
    assert not machine.over(idle=False)
    clock.now += MOST_WAIT / 2
    assert not machine.over(idle=True)
    clock.now += MOST_WAIT / 2
    with pytest.raises(MachineFaultError, match=r"15 min of waiting have not helped.*It needs 3 M"):
        machine.over(idle=True)


def test_a_candidate_needs_as_much_as_the_largest_one_took(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    assert missing_on_disk(folder) is None
    candidate = folder.candidate("t0000-100")
    (candidate / "model").mkdir(parents=True)
    (candidate / "candidate.json").write_text("{}")
    with (candidate / "model" / "weights").open("wb") as sparse:
        sparse.truncate(2**43)
    said = missing_on_disk(folder)
    assert said is not None
    assert said.startswith(f"8,388,608 MiB free on the disk of {tmp_path}, which has ")


def test_several_may_try_the_same_disk_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: missing_on_disk(RunFolder(tmp_path)), range(80))) == {None}
    assert not list(tmp_path.iterdir())
