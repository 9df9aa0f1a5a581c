"""Averages that are made while others still train."""

import time
from pathlib import Path
from typing import Any

import pytest

from autoqa.searching import loop
from autoqa.searching.setup import SearchOptions
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.training.jobs import SoupJob, TrialJob
from autoqa.training.messages import TrialFinished
from tests.searching import fakes
from tests.searching.test_soup_maker import average, write

STUDY = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "").replace(
    "workers = 1", "workers = 1\nsoups = true\nsnapshots = [0.5, 1.0]"
)


def log(folder: Path, text: str) -> None:
    with (folder / "order.txt").open("a") as file:
        file.write(f"{text}\n")


def order() -> list[str]:
    return (fakes.run_folder().path / "order.txt").read_text().splitlines()


def _train(job: TrialJob, emit: Any) -> None:
    folder = RunFolder(job.run_folder)
    for fraction in (0.5, 1.0):
        made = fakes.record(job, fraction)
        write(folder, made)
        emit(fakes.SnapshotTaken(job.trial, made))
    emit(TrialFinished(job.trial, 0.1))


def trains_and_averages(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob | SoupJob, emit: Any) -> None:
        kind = "soup" if isinstance(job, SoupJob) else "trial"
        count = len(job.ingredients) if isinstance(job, SoupJob) else job.trial
        log(job.run_folder, f"{kind} {count}")
        if isinstance(job, SoupJob):
            average(job, emit)
        else:
            _train(job, emit)

    return run


def third_waits_for_a_soup(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob | SoupJob, emit: Any) -> None:
        if isinstance(job, SoupJob):
            average(job, emit)
            log(job.run_folder, "soup")
            return
        end = time.time() + 20
        while job.trial == 2 and not (job.run_folder / "order.txt").exists():
            assert time.time() < end, "the idle worker averaged nothing"
            time.sleep(0.02)
        _train(job, emit)

    return run


def soups() -> list[CandidateRecord]:
    with Store(fakes.run_folder().store_url(), "small") as store:
        return [record for record in store.candidates() if record.ingredients]


def test_after_every_few_trials_some_averages_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SOUPS_EVERY", 2)
    fakes.search(tmp_path, trains_and_averages, STUDY, SearchOptions(trials=3))
    done = order()
    third = done.index("trial 2")
    early = done[:third]
    assert early[:3] == ["trial 0", "trial 1", "soup 4"], "of all candidates first"
    assert set(early[3:]) <= {"soup 2"}, "then of each run's"
    assert "soup 6" in done[third:]
    ids = [record.id for record in soups()]
    assert len(ids) == len(set(ids))


def test_of_a_single_run_all_candidates_and_its_own_are_one_average(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SOUPS_EVERY", 1)
    fakes.search(tmp_path, trains_and_averages, STUDY, SearchOptions(trials=2))
    done = order()
    assert done[: done.index("trial 1")].count("soup 2") == 1


def test_a_worker_without_a_trial_averages(tmp_path: Path) -> None:
    options = SearchOptions(trials=3, workers=2)
    result = fakes.search(tmp_path, third_waits_for_a_soup, STUDY, options)
    assert result.finished == 3
    assert all(
        not {name for name in record.ingredients if name.startswith("t0002")} or record.trial == 2
        for record in soups()
    )


def test_without_soups_nothing_is_averaged(tmp_path: Path) -> None:
    text = STUDY.replace("soups = true\n", "")
    fakes.search(tmp_path, trains_and_averages, text, SearchOptions(trials=4))
    assert not soups()
    assert not any(line.startswith("soup") for line in order())
