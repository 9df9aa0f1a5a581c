"""Searches whose minutes are few: what is timed, made smaller, refused."""

import os
import time
from pathlib import Path
from typing import Any

import optuna
import pytest

from autoqa.config import load_study
from autoqa.errors import NothingFeasibleError
from autoqa.searching.dry_run import plan_search
from autoqa.searching.runner import FRESH_SECONDS
from autoqa.searching.setup import SearchOptions, fingerprint
from autoqa.searching.time_limit import SCALE, target_of
from autoqa.training.jobs import TimingJob, TrialJob
from tests.searching import fakes

ONE = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "")
MINUTES = SearchOptions(minutes=2.0)


def _run(seconds: float) -> Any:
    """Answers of a worker whose whole run takes as long; jobs are logged."""

    def run(job: TrialJob | TimingJob, emit: Any) -> None:
        with (job.run_folder / "jobs.txt").open("a") as log:
            log.write(f"{type(job).__name__} {job.backbone}\n")
        if isinstance(job, TimingJob):
            fakes.tell_time(job, emit, seconds)
        else:
            fakes.good(None, job.run_folder)(job, emit)

    return run


def quick(_study: Any, _folder: Path) -> Any:
    return _run(1.0)


def slow(_study: Any, _folder: Path) -> Any:
    return _run(60.0)


def endless(_study: Any, _folder: Path) -> Any:
    return _run(1e5)


def cannot_be_timed(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob | TimingJob, emit: Any) -> None:
        if isinstance(job, TimingJob):
            raise MemoryError
        fakes.good(None, job.run_folder)(job, emit)

    return run


def cut_off(_study: Any, _folder: Path) -> Any:
    """Every run but the second search's is cut, as by the time limit."""

    def run(job: TrialJob | TimingJob, emit: Any) -> None:
        from autoqa.errors import OutOfTimeError

        if isinstance(job, TimingJob):
            fakes.tell_time(job, emit)
        elif fakes.first_time(job):
            assert job.deadline is not None
            time.sleep(max(0.0, job.deadline - time.time()))
            raise OutOfTimeError("the time was over after 4% of the run")
        else:
            fakes.good(None, job.run_folder)(job, emit)

    return run


def jobs() -> list[str]:
    return (fakes.run_folder().path / "jobs.txt").read_text().splitlines()


def study() -> optuna.Study:
    return optuna.load_study(study_name="small", storage=fakes.run_folder().store_url())


def recipes() -> list[str]:
    return [t.user_attrs["recipe"] for t in study().trials if t.user_attrs.get("candidates")]


def test_each_backbone_is_timed_once_and_the_plan_is_said(tmp_path: Path) -> None:
    events = fakes.Events()
    fakes.search(tmp_path, quick, options=MINUTES, display=events)
    assert sorted(jobs()[:2]) == ["TimingJob e5", "TimingJob minilm"]
    assert events.said("some steps of e5 and minilm are timed first")
    assert events.said("2 minutes hold about ")
    assert events.said(" runs of 1,000 windows (about 1 seconds each on 1 worker)")
    assert study().user_attrs[SCALE] == {"factors": {}, "target": None}
    again = SearchOptions(minutes=2.0, trials=5)
    fakes.search(tmp_path, quick, options=again)
    assert sum(job.startswith("TimingJob") for job in jobs()) == 2
    # The first job knows how fast it will be, and what the end is.
    assert fakes.calls()[0]["windows_per_second"] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("old", "new", "whole"),
    [
        ("", "", True),
        ("workers = 1", "workers = 1\nrounds = 2", False),
        (
            "[recipe]\n",
            '[backbones.b]\ntype = "any"\n[backbones.c]\ntype = "any"\n[recipe]\n',
            False,
        ),
    ],
)
def test_minutes_must_hold_two_runs_of_each_round_and_one_of_each_backbone(
    tmp_path: Path, old: str, new: str, whole: bool
) -> None:
    path, limit = tmp_path / "study.toml", SearchOptions(minutes=2.6)
    path.write_text(ONE.replace(old, new))
    plan = plan_search(fakes.bind(path), fakes.prepare, limit, timed=True, factory=slow)
    said = " ".join(plan.time)
    assert ("hold about 2 runs of 1,000 windows" in said) == whole
    assert ("recipes are made smaller" in said) != whole
    assert ("2 rounds: once 1/2 of the search is over, runs go on" in said) == ("rounds" in new)


def test_a_new_study_is_not_planned_by_an_old_timing(tmp_path: Path, home: Path) -> None:
    fakes.time_beforehand(tmp_path, endless, ONE, MINUTES)
    with pytest.raises(NothingFeasibleError):
        fakes.search(tmp_path, quick, ONE, MINUTES)
    (timing,) = (home.parent / "cache" / "timings").iterdir()
    old = time.time() - FRESH_SECONDS - 1
    os.utime(timing, (old, old))
    assert fakes.search(tmp_path, quick, ONE, MINUTES).finished == 4


def test_neighbours_are_timed_together(tmp_path: Path) -> None:
    fakes.search(tmp_path, quick, ONE, SearchOptions(minutes=2.0, workers=2, trials=1))
    assert sum(job.startswith("TimingJob") for job in jobs()) == 2


def test_without_a_limit_nothing_is_timed(tmp_path: Path) -> None:
    fakes.search(tmp_path, quick, ONE)
    assert not any(job.startswith("TimingJob") for job in jobs())
    assert SCALE not in study().user_attrs


def test_a_short_limit_makes_all_recipes_smaller_for_good(tmp_path: Path) -> None:
    events = fakes.Events()
    fakes.search(tmp_path, slow, ONE, MINUTES, display=events)
    assert events.said("recipes are made smaller, so that several runs fit")
    factors = study().user_attrs[SCALE]["factors"]
    assert 0.1 <= factors["squad"] < 1
    assert recipes()[0] == f"[squad {100 * factors['squad']:.3g}% + tydi] 384/128; lr 3e-05" or (
        "tydi" in factors
    )
    trial = study().trials[0]
    assert trial.params["e5.tydi.share"] == 1.0, "the parameters stay those of the study file"
    # Later searches keep to it, whatever their limit.
    later = fakes.Events()
    fakes.search(tmp_path, slow, ONE, SearchOptions(minutes=900.0, trials=6), display=later)
    assert study().user_attrs[SCALE]["factors"] == factors
    assert not later.said("made smaller")
    fakes.search(tmp_path, slow, ONE, SearchOptions(trials=8))
    assert all("squad " in line for line in recipes() if "squad" in line)


def test_recipes_stay_whole_where_the_study_wants_that(tmp_path: Path) -> None:
    whole = ONE.replace("workers = 1", "workers = 1\nfit = false")
    fakes.search(tmp_path, slow, whole, MINUTES)
    assert study().user_attrs[SCALE]["factors"] == {}
    assert recipes()[0] == "[squad + tydi] 384/128; lr 3e-05"


@pytest.mark.parametrize("text", [ONE, ONE.replace("workers = 1", "workers = 1\nfit = false")])
def test_a_limit_that_holds_no_run_is_refused_before_any(tmp_path: Path, text: str) -> None:
    with pytest.raises(NothingFeasibleError, match=r"search\.minutes = 2 holds no run") as caught:
        fakes.search(tmp_path, endless, text, MINUTES)
    assert "minutes or more" in str(caught.value)
    assert ("fit = true" in str(caught.value)) == ("fit" in text)
    assert study().trials == []
    # With more time the same study begins.
    assert fakes.search(tmp_path, quick, text, SearchOptions(trials=1)).finished == 1


def test_a_study_that_was_begun_keeps_its_recipes(tmp_path: Path) -> None:
    fakes.search(tmp_path, slow, ONE, SearchOptions(trials=1))
    fakes.search(tmp_path, slow, ONE, SearchOptions(trials=2, minutes=2.0))
    assert SCALE not in study().user_attrs
    assert not any(job.startswith("TimingJob") for job in jobs()), "its first trial tells"


def test_a_backbone_that_cannot_be_timed_is_searched_all_the_same(tmp_path: Path) -> None:
    events = fakes.Events()
    result = fakes.search(tmp_path, cannot_be_timed, ONE, MINUTES, display=events)
    assert result.finished == 4
    assert events.said("e5: its runs could not be timed: MemoryError")


def test_a_run_that_is_cut_goes_on_in_the_next_search(tmp_path: Path) -> None:
    options = SearchOptions(minutes=6 / 60, trials=1)
    fakes.time_beforehand(tmp_path, cut_off, ONE, options)
    with pytest.raises(NothingFeasibleError, match="goes on where it stopped"):
        fakes.search(tmp_path, cut_off, ONE, options)
    first, waiting = study().trials
    assert first.user_attrs["failure"] == "the time was over after 4% of the run"
    assert waiting.user_attrs["continues"] == 0
    assert fakes.search(tmp_path, cut_off, ONE, SearchOptions(trials=1)).finished == 1


def test_the_keys_change_no_fingerprint_and_may_change_later(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(ONE)
    plain = fingerprint(load_study(path))
    changed = ONE.replace("workers = 1", "workers = 1\nfit = false\nprune = true\nsoups = true")
    path.write_text(changed)
    assert fingerprint(load_study(path)) == plain
    fakes.search(tmp_path, quick, ONE, SearchOptions(trials=1))
    quiet = ONE.replace("workers = 1", "workers = 1\nfit = false\nprune = true")
    assert fakes.search(tmp_path, quick, quiet, SearchOptions(trials=2)).finished == 2


def test_the_target_is_what_is_named_or_what_is_validated_on(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(ONE)
    assert target_of(load_study(path)) is None
    trained = ONE.replace('source = "tydi"\n', 'source = "chaii"\n', 1)
    path.write_text(trained.replace("[search]", "share = 0.5\n[search]"))
    assert target_of(load_study(path)) == "chaii"
    path.write_text(ONE.replace("[recipe]", '[recipe]\ntarget = "tydi"'))
    assert target_of(load_study(path)) == "tydi"


def test_a_dry_run_times_only_if_it_is_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(ONE)
    bound = fakes.bind(path)
    assert plan_search(bound, fakes.prepare, SearchOptions()).time == []
    untimed = plan_search(bound, fakes.prepare, MINUTES).lines()
    assert any("`--dry-run --time` does nothing else" in line for line in untimed)
    asked = plan_search(bound, fakes.prepare, MINUTES, timed=True, factory=quick)
    assert "runs of 1,000 windows" in asked.time[0]
    assert plan_search(bound, fakes.prepare, MINUTES).time[0].startswith("2 minutes hold about ")
    assert not (tmp_path / "runs").exists()
    short = plan_search(bound, fakes.prepare, SearchOptions(minutes=0.001)).time
    assert "holds no run" in short[0]
    fakes.search(tmp_path, quick, ONE, SearchOptions(trials=1))
    begun = plan_search(bound, fakes.prepare, MINUTES).time
    assert begun == ["the study was begun before, and its recipes keep the size that they have"]
