"""What a search says of itself while it runs: time left, trials that ended last, warnings."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from autoqa.errors import TrainingError
from autoqa.searching.setup import SearchOptions
from autoqa.supervision.display import Status
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Progress, RecipeCard
from tests.searching import fakes

ONE = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "")


@dataclass
class Shown(fakes.Events):
    """Keeps events and details apart, and every status."""

    details: list[str] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def status(self, status: Status) -> None:
        self.statuses.append(status)


def paced(_study: Any, _folder: Path) -> Any:
    """Says for a while that 30 s are left, which lets the search say what is left of all."""

    def run(job: TrialJob, emit: Any) -> None:
        warning = "hi: half of the tokens are unknown"
        emit(RecipeCard(job.trial, ("stage 1 of 1: 12 windows", warning), (warning,)))
        for _ in range(12):
            emit(Progress(job.trial, "training", 1, 1, 5, 10, 1.0, 10.0, left=30.0))
            time.sleep(0.05)
        fakes.good(None, job.run_folder)(job, emit)

    return run


def second_fails(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Any) -> None:
        if job.trial == 1:
            raise TrainingError("the loss became nan\n\x1b[31mat step 3")
        fakes.good(None, job.run_folder)(job, emit)

    return run


def test_what_is_left_is_known_from_the_pace_of_the_first_run(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoqa.searching.loop.SHOW_SECONDS", 0.1)
    shown = Shown()
    fakes.search(tmp_path, paced, ONE, SearchOptions(trials=3, workers=1), shown)
    early = [each for each in shown.statuses if each.done == 0 and each.seconds_left is not None]
    assert early
    # The run that is watched, and two more that take as long; its own seconds are little.
    assert all(each.estimated for each in early)
    left = [each.seconds_left for each in early if each.seconds_left is not None]
    assert 85 < max(left) < 100
    assert shown.statuses[-1].done == 3
    assert shown.statuses[-1].seconds_left == 0


def test_the_time_limit_counts_where_it_comes_first(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoqa.searching.loop.SHOW_SECONDS", 0.1)
    options = SearchOptions(trials=400, workers=1, minutes=0.2)
    fakes.time_beforehand(tmp_path, fakes.half_a_second, ONE, options)
    shown = Shown()
    fakes.search(tmp_path, fakes.half_a_second, ONE, options, shown)
    assert all(not each.estimated for each in shown.statuses if each.done < 5)
    assert all(each.seconds_left <= 12 for each in shown.statuses if each.seconds_left is not None)


def test_trials_that_ended_last_come_with_scores_and_reasons(tmp_path: Path, home: Path) -> None:
    shown = Shown()
    fakes.search(tmp_path, second_fails, ONE, SearchOptions(trials=3, workers=1), shown)
    last = shown.statuses[-1]
    recent = {each.trial: each for each in last.recent}
    assert list(recent) == sorted(recent, reverse=True)
    assert recent[0].last is not None
    assert recent[0].last.half_width == 0.04
    assert recent[1].last is None
    assert recent[1].note == "tried again: the loss became nan \\x1b[31mat step 3"
    assert {each.backbone for each in last.recent} == {"e5"}
    again = Shown()
    fakes.search(tmp_path, second_fails, ONE, SearchOptions(trials=3, workers=1), again)
    assert again.statuses[-1].recent == last.recent, "a search that goes on knows them, too"


def test_cards_are_details_and_warnings_are_told_once(tmp_path: Path, home: Path) -> None:
    shown = Shown()
    fakes.search(tmp_path, paced, ONE, SearchOptions(trials=2, workers=1), shown)
    assert [line for line in shown.lines if "unknown" in line] == [
        "trial 0: hi: half of the tokens are unknown"
    ]
    assert not shown.said("stage 1 of 1")
    assert sum("stage 1 of 1: 12 windows" in line for line in shown.details) == 2
    assert any("trial 1: hi: half of the tokens" in line for line in shown.details)
    assert any(line.startswith("trial 0: candidate t0000-100") for line in shown.details)
    log = fakes.run_folder().logs / "search.log"
    assert "trial 0: stage 1 of 1" in log.read_text()
