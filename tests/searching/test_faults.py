"""Faults of the machine: each is caused, and costs no trial."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoqa.errors import MachineFaultError, NothingFeasibleError
from autoqa.searching import machine_faults
from autoqa.searching.setup import SearchOptions
from autoqa.supervision import hearing, life_signs
from autoqa.supervision.display import Status, status_line
from tests.searching import fakes
from tests.searching.test_search import candidates, start, states, trials


@pytest.fixture
def no_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_faults, "BACK_OFF", (0.0, 0.0, 0.0))


@pytest.fixture
def small_disk(tmp_path: Path, home: Path) -> Iterator[Path]:
    """A disk of 14 MB for run folders, which :func:`grow` makes larger."""
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=14m", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system needs more rights")
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)


@pytest.fixture
def soon_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life_signs, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(life_signs, "SILENT_GAPS", 2.0)
    monkeypatch.setattr(hearing, "HUNG_SECONDS", 0.2)


@pytest.mark.usefixtures("no_back_off", "soon_silent")
@pytest.mark.parametrize("factory", [fakes.stopped_once, fakes.deadlocked_once])
def test_a_worker_that_hangs_is_noticed_and_its_trial_goes_on(tmp_path: Path, factory: Any) -> None:
    events = fakes.Events()
    options = SearchOptions(trials=2, workers=1)
    result = fakes.search(tmp_path, factory, options=options, display=events)
    assert (result.finished, result.failed) == (2, 0)
    assert states() == ["FAIL", "COMPLETE", "COMPLETE"]
    lost, again = trials()[:2]
    assert "worker has said nothing for" in lost.user_attrs["failure"]
    assert lost.user_attrs["failure"].endswith("s while training")
    assert again.user_attrs["continues"] == 0
    assert "retry_of" not in again.user_attrs
    assert events.said("while training; queued again")


@pytest.mark.usefixtures("no_back_off", "soon_silent")
def test_a_backbone_whose_runs_all_hang_is_left_out_and_begun_anew_by_another_search(
    tmp_path: Path,
) -> None:
    events, options = fakes.Events(), SearchOptions(trials=4, workers=1)
    result = fakes.search(tmp_path, fakes.minilm_hangs, options=options, display=events)
    assert (result.finished, result.failed) == (3, 1)
    assert events.said("minilm is left out from here on: 3 of its runs hung in a row, the last one")
    assert list(result.left_out) == ["minilm"]
    assert any(line.startswith("  minilm was left out: 3 of its") for line in result.lines())
    again = fakes.search(tmp_path, fakes.good, options=options)
    assert (again.finished, again.left_out) == (4, {})
    last = trials()[-1]
    assert (last.user_attrs["backbone"], last.user_attrs["origin"]) == ("minilm", "protocol")


@pytest.mark.slow
@pytest.mark.usefixtures("no_back_off", "soon_silent")
def test_runs_that_hang_when_they_are_complete_leave_nothing_out(tmp_path: Path) -> None:
    events, options = fakes.Events(), SearchOptions(trials=8, workers=1)
    result = fakes.search(tmp_path, fakes.minilm_hangs_at_the_end, options=options, display=events)
    assert (result.finished, result.failed, result.left_out) == (8, 0, {})
    assert not events.said("left out")


@pytest.mark.slow
@pytest.mark.usefixtures("no_back_off", "soon_silent")
def test_where_the_runs_of_all_backbones_hang_the_machine_ends_the_search(tmp_path: Path) -> None:
    with pytest.raises(MachineFaultError, match=r"5 runs in a row were lost, the last one because"):
        fakes.search(tmp_path, fakes.hangs_always, options=SearchOptions(trials=4, workers=1))
    assert {trial.user_attrs["backbone"] for trial in trials()} == {"e5", "minilm"}


@pytest.mark.usefixtures("no_back_off")
def test_a_worker_that_is_killed_again_and_again_costs_no_trial(tmp_path: Path) -> None:
    result = fakes.search(tmp_path, fakes.killed_thrice, options=SearchOptions(trials=1, workers=1))
    assert (result.finished, result.failed) == (1, 0)
    assert states() == ["FAIL"] * 3 + ["COMPLETE"]
    assert [call["micro_scale"] for call in fakes.calls()] == [1.0, 0.5, 0.25, 0.125]
    assert len({call["rate"] for call in fakes.calls()}) == 1


@pytest.mark.usefixtures("no_back_off")
def test_workers_that_are_always_killed_end_the_search_and_cost_no_trial(tmp_path: Path) -> None:
    with pytest.raises(MachineFaultError) as caught:
        fakes.search(tmp_path, fakes.killed_always, options=SearchOptions(trials=2))
    assert caught.value.exit_code == 6
    said = str(caught.value)
    assert "5 runs in a row were lost, the last one because: worker was killed by signal 9" in said
    assert "The same command goes on where it stopped" in said
    assert states() == ["FAIL"] * 5 + ["WAITING"]
    assert not any(trial.number for trial in trials() if trial.user_attrs["backbone"] != "e5")
    result = fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=2))
    assert (result.finished, result.failed) == (2, 0)
    assert states() == ["FAIL"] * 5 + ["COMPLETE"] * 2


def test_a_worker_that_dies_before_its_log_is_open_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif 'spawn_main' in ' '.join(sys.orig_argv): os._exit(9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NothingFeasibleError) as caught:
        fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    log = fakes.run_folder().logs / "worker-0.log"
    assert f"worker ended by itself with exit code 9; see {log}" in str(caught.value)
    assert log.is_file()
    assert str(log) in (fakes.run_folder().logs / "search.log").read_text()


def test_a_process_that_ends_itself_is_no_fault_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(NothingFeasibleError, match="ended by itself with exit code 3; see"):
        fakes.search(tmp_path, fakes.exits, options=SearchOptions(trials=2))
    assert states() == ["FAIL"] * 4  # each is tried twice


def test_a_disk_that_was_full_for_a_moment_costs_no_trial(tmp_path: Path) -> None:
    events = fakes.Events()
    result = fakes.search(
        tmp_path, fakes.no_space_once, options=SearchOptions(trials=2, workers=1), display=events
    )
    assert (result.finished, result.failed) == (2, 0)
    assert states() == ["FAIL", "COMPLETE", "COMPLETE"]
    assert events.said("No space left on device; queued again")
    assert trials()[1].user_attrs["continues"] == 0


def test_a_worker_whose_log_is_on_the_full_disk_costs_no_trial(tmp_path: Path) -> None:
    log = fakes.run_folder().logs / "worker-0.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    events = fakes.Events()
    options = SearchOptions(trials=1, workers=1)
    fakes.search(tmp_path, fakes.no_space_once, options=options, display=events)
    assert events.said("No space left on device; queued again")
    assert trials()[1].user_attrs["continues"] == 0


class Growing(fakes.Events):
    """Makes room as soon as it is told what is missing."""

    def __init__(self, disk: Path) -> None:
        super().__init__()
        self.disk, self.waited_for = disk, list[str]()

    def status(self, status: Status) -> None:
        if status.waiting is not None and not self.waited_for:
            self.waited_for.append(status_line(status))
            grow(self.disk)


def test_a_full_disk_makes_the_search_wait_until_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    events = Growing(small_disk)
    result = fakes.search(
        tmp_path, fakes.bulky, options=SearchOptions(trials=6, workers=1), display=events
    )
    assert (result.finished, result.failed) == (6, 0)
    (line,) = events.waited_for
    assert "waiting for 3 MiB free on the disk of" in line
    assert events.said("trials start again")
    assert len(candidates()) == 6


def test_a_disk_that_stays_full_ends_the_search_and_the_same_command_goes_on(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_faults, "MOST_WAIT", 1.0)
    options = SearchOptions(trials=6, workers=1)
    with pytest.raises(MachineFaultError) as caught:
        fakes.search(tmp_path, fakes.bulky, options=options)
    said = str(caught.value)
    assert "No space left on device" in said
    assert "It needs 3 MiB free on the disk of" in said
    kept = {name: (small_disk / "small" / "candidates" / name).stat() for name in candidates()}
    assert 0 < len(kept) < 6
    grow(small_disk)
    result = fakes.search(tmp_path, fakes.bulky, options=options)
    assert (result.finished, result.failed) == (6, 0)
    for name, before in kept.items():
        assert (small_disk / "small" / "candidates" / name).stat().st_mtime == before.st_mtime


def test_ctrl_c_works_while_a_search_waits(tmp_path: Path, small_disk: Path) -> None:
    process = start(tmp_path, "bulky", fakes.STUDY.replace("trials = 4", "trials = 6"))
    assert process.stderr is not None
    assert any("no trial starts until" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_the_parent_tells_of_a_full_disk_of_its_own(
    tmp_path: Path, small_disk: Path, home: Path
) -> None:
    (home / "ballast").write_bytes(b"1" * (shutil.disk_usage(home).free - 4096))
    with pytest.raises(MachineFaultError, match=r"(?i)disk is full|No space left") as caught:
        fakes.search(tmp_path, fakes.good)
    assert caught.value.exit_code == 6
    (home / "ballast").unlink()
    assert fakes.search(tmp_path, fakes.good).finished == 4
