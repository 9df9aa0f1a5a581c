"""Studies of many short trials: what one more costs, and how workers and processes get along.

``AUTOQA_BENCH_TRIALS`` says how many trials each setting has, ``AUTOQA_BENCH_GROWTH`` how many the
search has whose costs are compared. Candidates are a few hundred bytes, so that what is measured is
the search alone: proposals, the database, and files that are written to last.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from optuna.trial import FrozenTrial, TrialState

from autoqa.store.study_tables import Store
from autoqa.supervision.display import QuietDisplay
from autoqa.upkeep.trial_counts import read_trials
from tests.postgres import Postgres
from tests.searching import fakes

from .harness import Comparison, record

TRIALS = int(os.environ.get("AUTOQA_BENCH_TRIALS", "60"))
GROWTH = int(os.environ.get("AUTOQA_BENCH_GROWTH", "1000"))
EARLY, WIDTH = 100, 60
"""What a trial costs is the median over so many trials up to the one that is named."""

PAUSE = 0.2
"""Seconds that a trial of :func:`tests.searching.fakes.brief` sleeps."""

ROOT = Path(__file__).parents[2]
ALLOWED = 1.5


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postgres | None]:
    if request.param == "sqlite":
        yield None
    else:
        with Postgres(tmp_path_factory.mktemp("postgres") / "data") as started:
            yield started


@pytest.fixture
def url(server: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of an empty database, and a home of its own for the study."""
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    if server is None:
        return f"sqlite:///{tmp_path / 'study.db'}"
    server.empty()
    return server.url


class Clock(QuietDisplay):
    """Notes the processor time of this process, without its workers, at the end of each trial."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def event(self, text: str) -> None:
        if " finished in " in text:
            self.seconds.append(time.process_time())

    def cost(self, trial: int) -> float:
        """Seconds that a trial costs, at about the trial of that number."""
        last = self.seconds[trial - WIDTH - 1 : trial]
        return median(after - before for before, after in pairwise(last))


def study(url: str, trials: int, workers: int) -> str:
    """One with so many recipes, all of which select something, that a proposal is a trial."""
    text = fakes.stored(url, trials).replace("workers = 1", f"workers = {workers}")
    shares = f"share = {[number / 50 for number in range(1, 51)]}"
    return text.replace('"squad"\ninclude = "search"', f'"squad"\n{shares}').replace(
        "share = [0.5, 1.0]", shares
    )


def finished(url: str, trials: int) -> list[FrozenTrial]:
    """The trials that were trained, after it was seen that nothing went wrong with any."""
    stored = read_trials(url, "small")
    assert {trial.state for trial in stored} <= {
        TrialState.COMPLETE,
        TrialState.PRUNED,  # recipes that select nothing
        TrialState.FAIL,  # twins of what was training
    }
    twins = [trial for trial in stored if "duplicate_of" in trial.user_attrs]
    assert not [t for t in stored if t.state == TrialState.FAIL and t not in twins]
    trained = [t for t in stored if t.state == TrialState.COMPLETE and t not in twins]
    assert len(trained) == trials
    runs = Counter((t.user_attrs["backbone"], t.user_attrs["run"]) for t in trained)
    assert set(runs.values()) == {1}
    assert len(fakes.calls()) == trials, "no trial was trained twice"
    names = sorted(name for trial in trained for name in trial.user_attrs["candidates"])
    assert names == fakes.run_folder().candidate_ids()
    with Store(url, "small") as store:
        assert [each.id for each in store.candidates()] == names
        assert store.searchers() == []
    return trained


def pace(trained: list[FrozenTrial]) -> float:
    """Trials per second, from the start of the first to the end of the last."""
    began = min(trial.datetime_start for trial in trained if trial.datetime_start)
    ended = max(trial.datetime_complete for trial in trained if trial.datetime_complete)
    return len(trained) / (ended - began).total_seconds()


def note(name: str, a: float, b: float, unit: str, *, ratio: float, rounds: int = 1) -> None:
    a, b, ratio = round(a, 2), round(b, 2), round(ratio, 3)
    record(Comparison(name=name, ratio=ratio, a=a, b=b, unit=unit, equal=True, rounds=rounds))


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_one_more_trial_costs_the_same(url: str, tmp_path: Path) -> None:
    clock = Clock()
    fakes.search(tmp_path, fakes.good, study(url, GROWTH, 1), display=clock)
    finished(url, GROWTH)
    steps = [n for n in (EARLY, 200, 300, 500, 700, 1000, 1500, 2000) if n <= GROWTH]
    costs = {number: 1000 * clock.cost(number) for number in steps}
    shown = ", ".join(f"{number}: {cost:.1f}" for number, cost in costs.items())
    print(f"\nprocessor time of the search itself, ms per trial, at trial {shown}")
    first, last = costs[EARLY], costs[steps[-1]]
    note("trial_cost_late", first, last, "ms", ratio=first / last, rounds=WIDTH)
    assert last <= ALLOWED * first


@pytest.mark.parametrize("workers", [1, 2, 4, 8])
def test_workers_of_one_search(url: str, workers: int, tmp_path: Path) -> None:
    clock = Clock()
    fakes.search(tmp_path, fakes.brief, study(url, TRIALS, workers), display=clock)
    measured = pace(finished(url, TRIALS))
    kind = url.partition(":")[0].partition("+")[0]
    print(f"\n{workers} workers, {kind}: {measured:.2f} trials/s, no error in {TRIALS} trials")
    ideal = workers / PAUSE
    name = f"workers_{kind}_{workers}"
    note(name, ideal, measured, "trials/s", ratio=measured / ideal)


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_share_a_search(url: str, processes: int, tmp_path: Path) -> None:
    text = study(url, TRIALS, 1)
    (tmp_path / "study.toml").write_text(text)
    whats = (text, *["join"] * (processes - 1))
    logs = [tmp_path / f"said-{number}" for number in range(processes)]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.searching.fake_search", tmp_path, "brief", what],
                    cwd=ROOT,
                    stderr=stack.enter_context(log.open("w")),  # a pipe would fill, and block it
                )
            )
            for what, log in zip(whats, logs, strict=True)
        ]
    said = [log.read_text()[-2000:] for log in logs]
    assert [each.returncode for each in started] == [0] * processes, said
    trained = finished(url, TRIALS)
    shares = Counter(trial.user_attrs["searcher"] for trial in trained)
    measured = pace(trained)
    kind = url.partition(":")[0].partition("+")[0]
    print(
        f"\n{processes} processes, {kind}: {measured:.2f} trials/s, no error in {TRIALS} trials; "
        f"of each {', '.join(map(str, shares.values()))}"
    )
    ideal = processes / PAUSE
    name = f"processes_{kind}_{processes}"
    note(name, ideal, measured, "trials/s", ratio=measured / ideal)
