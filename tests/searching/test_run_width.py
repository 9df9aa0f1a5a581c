"""``devices_per_run = "auto"``, decided by the pace that workers measure."""

import json
from pathlib import Path
from typing import Any

import pytest

from autoqa import env
from autoqa.searching.dry_run import plan_search
from autoqa.searching.setup import SearchOptions
from autoqa.training.jobs import TimingJob, TrialJob
from tests.searching import fakes


def text(trials: int, workers: str = '"auto"') -> str:
    return fakes.STUDY.replace(
        "trials = 4\nworkers = 1", f"trials = {trials}\nworkers = {workers}"
    ) + ('devices_per_run = "auto"\n')


def paced_by_devices(_study: Any, _folder: Path) -> Any:
    """Two devices are three times as fast as one, which is more than two ever are."""

    def run(job: TrialJob | TimingJob, emit: Any) -> None:
        if isinstance(job, TimingJob):
            fakes.tell_time(job, emit, 0.3 if env.devices() == 1 else 0.1)
            return
        (job.run_folder / f"devices-{job.trial}").write_text(str(env.devices()))
        fakes._good(job, emit)

    return run


def searched(folder: Path, trials: int, **more: Any) -> tuple[fakes.Events, list[str]]:
    shown = fakes.Events()
    fakes.search(folder, paced_by_devices, text(trials), display=shown, **more)
    run = fakes.run_folder().path
    return shown, [path.read_text() for path in sorted(run.glob("devices-*"))]


@pytest.fixture(autouse=True)
def _two_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # nobody looks at them in these workers


def test_one_run_takes_both_devices(tmp_path: Path) -> None:
    shown, devices = searched(tmp_path, 1)
    assert devices == ["2"]
    assert shown.said("each run is trained on 2 devices, 3.0 times as fast as on one: the 1 wanted")
    timed = [
        json.loads(path.read_text())["tokens_per_second"]
        for path in (tmp_path / "cache" / "timings").glob("*.json")
    ]
    assert len(timed) == 4, "two backbones, on one device and on both"


def test_many_runs_take_one_each_and_nothing_is_timed(tmp_path: Path) -> None:
    shown, devices = searched(tmp_path, 3)
    assert devices == ["1"] * 3
    assert not shown.said("are timed")
    assert not (tmp_path / "cache" / "timings").exists()


def test_a_dry_run_says_so(tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text(text(1))
    told = [
        plan_search(
            fakes.bind(study), fakes.prepare, SearchOptions(), timed=timed, factory=paced_by_devices
        )
        for timed in (False, True, False)
    ]
    assert [plan.workers.partition(" with")[0] for plan in told] == [
        "2 workers",
        "1 worker",
        "1 worker",
    ]
    assert told[0].time == []
    assert told[1].time == told[2].time != []
    assert told[1].time[0].startswith("each run is trained on 2 devices, 3.0 times as fast")
