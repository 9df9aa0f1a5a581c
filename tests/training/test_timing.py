"""Some steps of a run, timed by the worker that will train."""

from collections.abc import Callable

import numpy as np
import pytest

from autoqa.planning.run_timing import RunTiming
from autoqa.planning.share_scale import ShareScale
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.store.run_folder import RunFolder
from autoqa.training import timing as timing_module
from autoqa.training.jobs import TimingJob, TrialJob
from autoqa.training.messages import BackboneTimed, Message, TrialFinished
from autoqa.training.time_left import share_that_fits, smaller
from autoqa.training.timing import time_run
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench

Bench = Callable[[str], Workbench]
RECIPE = Recipe((Stage((Portion("train", share=2.0),), 32, 8), Stage((Portion("train"),), 24, 4)))
RUN = TrainingRun(RECIPE, 5e-3, 11)


def whole(job: TrialJob, bench: Workbench) -> Trainer:
    return Trainer(job, bench, lambda _: None, (1.0,), lambda *_: None, every=False)


def timed(bench: Workbench) -> RunTiming:
    messages: list[Message] = []
    time_run(TimingJob("toy", RUN, bench.run_folder), bench, messages.append)
    assert isinstance(messages[-1], TrialFinished)
    (found,) = [each.timing for each in messages if isinstance(each, BackboneTimed)]
    return found


def test_what_is_timed_is_the_run_and_leaves_nothing(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing_module, "TIMED_SECONDS", 0.05)
    bench = make_bench("one")
    found = timed(bench)
    run = whole(TrialJob(0, "toy", RUN, bench.run_folder), bench)
    assert found.windows() == run.windows
    assert [each.share for each in found.portions] == [2.0, 1.0]
    assert found.batch_size == 4
    assert min(found.setup, found.tokens_per_second, found.evaluation) > 0
    assert RunFolder(bench.run_folder).candidate_ids() == []
    half = ShareScale({"train": 0.5})
    scaled = TrainingRun(half.applied(RECIPE), 5e-3, 11)
    less = whole(TrialJob(0, "toy", scaled, bench.run_folder), bench)
    assert found.windows(half) == pytest.approx(less.windows, rel=0.1)


def test_a_run_that_is_shorter_than_what_is_timed_is_timed_whole(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing_module, "TIMED_SECONDS", 1e9)
    assert np.isfinite(timed(make_bench("one")).tokens_per_second)


def test_the_share_that_fits_follows_from_speed_and_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    job = TrialJob(0, "toy", RUN, None, windows_per_second=10.0, evaluation=5.0, deadline=1110.0)  # type: ignore[arg-type]
    assert share_that_fits(job, 2000, 2) == pytest.approx(1000 / 2100)
    assert share_that_fits(job, 900, 2) is None
    assert share_that_fits(TrialJob(0, "toy", RUN, None), 10**9, 2) is None  # type: ignore[arg-type]
    (first, second) = smaller(job, 0.5).run.recipe.stages
    assert [each.portions[0].share for each in (first, second)] == [1.0, 0.5]
