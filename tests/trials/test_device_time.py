import time
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from autoqa.searching.setup import SearchOptions
from autoqa.trials.device_time import DeviceTime
from autoqa.trials.trials import Trials
from tests.searching import fakes


def ended(seconds: float, state: TrialState = TrialState.COMPLETE, **attributes: object):
    trial = create_trial(
        state=state,
        value=0.5 if state == TrialState.COMPLETE else None,
        user_attrs={"backbone": "e5", **attributes},
    )
    end = datetime.now() if state.is_finished() else None
    trial.datetime_start = datetime.now() - timedelta(seconds=seconds)
    trial.datetime_complete = end
    return trial


def device_time(hours: float | None, *runs, usual: float | None = None) -> DeviceTime:
    study = optuna.create_study()
    for run in runs:
        study.add_trial(run)
    return DeviceTime(Trials(study, {}, {}, 0, "v"), hours, lambda _: usual)


def test_runs_that_ended_count_whatever_became_of_them() -> None:
    left = device_time(1.0, ended(600), ended(300, TrialState.FAIL)).left()
    assert left == pytest.approx(2700, abs=5)


def test_what_was_not_trained_here_counts_for_nothing() -> None:
    runs = ended(600, elsewhere=True), ended(600, duplicate_of=0)
    assert device_time(1.0, *runs).left() == pytest.approx(3600, abs=5)


def test_a_running_trial_counts_to_its_usual_end() -> None:
    running = ended(100, TrialState.RUNNING)
    assert device_time(1.0, running, usual=1600).left() == pytest.approx(2000, abs=5)
    assert device_time(1.0, running, usual=None).left() == pytest.approx(3500, abs=5)


def test_a_run_fits_if_most_of_it_does_and_is_told_when_to_end() -> None:
    limit = device_time(1.0, ended(3000))
    assert limit.fits(900)
    assert not limit.fits(1200)
    deadline = limit.deadline(None)
    assert deadline == pytest.approx(time.time() + 600, abs=5)
    assert limit.deadline(time.time() + 60) == pytest.approx(time.time() + 60, abs=5)


def test_a_run_on_several_devices_counts_for_each() -> None:
    limit = device_time(1.0, ended(600, devices=2))
    assert limit.left() == pytest.approx(2400, abs=5)
    wide = DeviceTime(limit.trials, 1.0, lambda _: None, width=2)
    assert wide.left() == pytest.approx(1200, abs=5)


def test_without_a_limit_all_fits() -> None:
    limit = device_time(None, ended(1e6))
    assert limit.left() is None
    assert limit.fits(1e9)
    assert limit.deadline(None) is None


def test_a_search_ends_when_its_device_hours_are_used_up(tmp_path: Path) -> None:
    text = fakes.STUDY + "device_hours = 0.0004\n"  # 1.4 s, of which a run takes half a one
    options = SearchOptions(trials=50, workers=2)
    result = fakes.search(tmp_path, fakes.half_a_second, text, options)
    assert result.ended == "no further trial fits into 0.0004 device-hours"
    assert 1 <= result.finished <= 4


def test_what_is_kept_of_the_minutes_is_not_the_searchs(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(fakes.STUDY + "minutes = 50\nreserve = 0.2\n")
    study = fakes.bind(path).study
    assert SearchOptions().limit(study) == 40
    assert SearchOptions(minutes=10).limit(study) == 8
