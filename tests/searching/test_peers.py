"""Several processes search one study; each is a real process with real workers."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from autoqa.errors import ConfigError
from autoqa.searching import conditions
from autoqa.store.study_tables import Store
from tests.searching import fakes

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def study(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(fakes.STUDY)


@contextmanager
def process(
    folder: Path, *arguments: str, home: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A search, or what joins it.

    Args:
        folder: Holds the study file.
        arguments: What ``fake_search`` takes besides.
        home: A folder below for its runs; left out, that of the test.
    """
    own = {} if home is None else {"AUTOQA_HOME": str(folder / home)}
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.searching.fake_search", str(folder), *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **own},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def trials() -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.RDBStorage(fakes.run_folder().store_url())
    return optuna.load_study(study_name="small", storage=storage).trials


def begun() -> bool:
    database = fakes.run_folder().database
    if not database.is_file():
        return False
    with Store(fakes.run_folder().store_url(), "small") as store:
        return store.conditions() is not None


def check_all_finished_once(count: int) -> None:
    complete = [
        trial
        for trial in trials()
        if trial.state == TrialState.COMPLETE and "duplicate_of" not in trial.user_attrs
    ]
    assert len(complete) == count
    runs = Counter(trial.user_attrs["run"] + trial.user_attrs["backbone"] for trial in complete)
    assert set(runs.values()) == {1}
    assert not [trial for trial in trials() if trial.state == TrialState.RUNNING]
    assert not [trial for trial in trials() if trial.state == TrialState.WAITING]
    on_disk = {name for trial in complete for name in trial.user_attrs["candidates"]}
    assert on_disk <= set(fakes.run_folder().candidate_ids())
    with Store(fakes.run_folder().store_url(), "small") as store:
        assert store.searchers() == []


def test_whoever_joins_shares_the_trials(tmp_path: Path) -> None:
    with (
        process(tmp_path, "half_a_second") as first,
        process(tmp_path, "half_a_second", "join") as second,
        process(tmp_path, "half_a_second", "join") as third,
    ):
        said = [each.communicate(timeout=60)[1] for each in (first, second, third)]
        assert [each.returncode for each in (first, second, third)] == [0, 0, 0], said
    check_all_finished_once(4)
    assert len({call["pid"] for call in fakes.calls()}) > 1
    assert len(fakes.calls()) == 4


def test_others_go_on_where_the_search_was_killed(tmp_path: Path) -> None:
    with process(tmp_path, "half_a_second") as first:
        wait_for(begun)
        with process(tmp_path, "half_a_second", "join") as second:
            wait_for(lambda: {call["pid"] for call in fakes.calls()})
            first.kill()
            said = second.communicate(timeout=60)[1]
            assert second.returncode == 0, said
    check_all_finished_once(4)


def test_the_search_goes_on_where_one_that_joined_was_killed(tmp_path: Path) -> None:
    with process(tmp_path, "after_others") as first:
        wait_for(begun)
        with process(tmp_path, "slow_second", "join") as second:
            wait_for(hangs)
            second.send_signal(signal.SIGKILL)
            said = first.communicate(timeout=60)[1]
            assert first.returncode == 0, said
            assert f"the worker of process {second.pid} on" in said
    check_all_finished_once(4)


def hangs() -> bool:
    return bool(list(fakes.run_folder().path.glob("hangs-*")))


def test_one_that_was_taken_for_dead_ends_and_the_others_do_its_trial(tmp_path: Path) -> None:
    with process(tmp_path, "after_others") as first:
        wait_for(begun)
        with process(tmp_path, "slow_second", "join") as second:
            wait_for(hangs)
            with Store(fakes.run_folder().store_url(), "small") as store:
                [own] = [each for each in store.searchers() if each.process.pid == second.pid]
                store.leave(own.id)
            said = second.communicate(timeout=30)[1]
            assert second.returncode == 1
            assert "others have taken over its trials" in said
        first.communicate(timeout=60)
    check_all_finished_once(4)


def prune_a_running_trial() -> bool:
    storage = optuna.storages.RDBStorage(fakes.run_folder().store_url())
    for each in trials():
        if each.state == TrialState.RUNNING:
            with suppress(UpdateFinishedTrialError):  # it was faster
                return bool(storage.set_trial_state_values(each._trial_id, TrialState.PRUNED))
    return False


def test_one_whose_running_trial_has_become_anothers_says_what_was_lost(tmp_path: Path) -> None:
    with process(tmp_path, "half_a_second") as alone:
        wait_for(begun)
        wait_for(lambda: len(values()) >= 1)
        wait_for(prune_a_running_trial)
        said = alone.communicate(timeout=60)[1]
        assert alone.returncode == 6, said
        assert "the database lost the rows of a trial" in said


def search_first(folder: Path) -> None:
    fakes.search(folder, fakes.good)


def values() -> dict[int, float | None]:
    return {each.number: each.value for each in trials() if each.state == TrialState.COMPLETE}


def lose_rows(*, last: bool) -> dict[int, float | None]:
    """Takes back what the database was told last, as a damaged log does.

    Args:
        last: Lose all rows from the last finished trial's on; else its end only.

    Returns:
        The values of the trials that had one.
    """
    before = values()
    lost = max(before)
    with closing(sqlite3.connect(fakes.run_folder().database, timeout=30)) as connection:
        if last:
            above = "(SELECT trial_id FROM trials WHERE number >= ?)"
            tables = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'trial%'"
                )
            ]
            for name in sorted(tables, key=lambda name: name == "trials"):
                connection.execute(f"DELETE FROM {name} WHERE trial_id IN {above}", (lost,))
            connection.execute("DELETE FROM autoqa_candidates WHERE trial >= ?", (lost,))
        else:
            connection.execute(
                "DELETE FROM trial_values WHERE trial_id = "
                "(SELECT trial_id FROM trials WHERE number = ?)",
                (lost,),
            )
            connection.execute("UPDATE trials SET state = 'RUNNING' WHERE number = ?", (lost,))
        connection.commit()
    return before


MANY = fakes.STUDY.replace("trials = 4", "trials = 8")


@pytest.mark.parametrize("last", [False, True])
def test_rows_that_the_database_lost_under_two_processes_come_back(
    tmp_path: Path, last: bool
) -> None:
    (tmp_path / "study.toml").write_text(MANY)
    with process(tmp_path, "half_a_second", MANY) as first:
        wait_for(begun)
        with process(tmp_path, "half_a_second", "join") as second:
            wait_for(lambda: len(values()) >= 3)
            before = lose_rows(last=last)
            said = [each.communicate(timeout=90)[1] for each in (first, second)]
            codes = {each.returncode for each in (first, second)}
    # Whose running trial was lost, too, cannot know what is done under its number by now.
    assert codes <= ({0, 6} if last else {0}), "\n".join(said)
    with process(tmp_path, "half_a_second", MANY) as again:
        told = again.communicate(timeout=60)[1]
        assert again.returncode == 0, told
    check_all_finished_once(8)
    assert before.items() <= values().items()


def test_other_data_are_refused(tmp_path: Path) -> None:
    search_first(tmp_path)

    def other(bound):
        data = fakes.prepare(bound)
        data.train["squad"] = data.train["squad"][:2]
        return data

    with pytest.raises(ConfigError, match=r"sources\.squad: the rows to train on are not those"):
        fakes.join(tmp_path, fakes.good, prepare_with=other)


def test_another_run_folder_is_refused(tmp_path: Path) -> None:
    search_first(tmp_path)
    fakes.run_folder().mark("0123")
    with pytest.raises(
        ConfigError, match="not the folder that the search writes to: set AUTOQA_HOME"
    ):
        fakes.join(tmp_path, fakes.good)


def test_other_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search_first(tmp_path)
    own = conditions.environment()
    monkeypatch.setattr(conditions, "environment", lambda: {**own, "torch": "1.0"})
    expected = f"the search has torch {own['torch']}, this machine 1.0"
    with pytest.raises(ConfigError, match=expected.replace("+", r"\+")):
        fakes.join(tmp_path, fakes.good)


def test_there_is_nothing_left_to_do_for_one_that_comes_late(tmp_path: Path) -> None:
    search_first(tmp_path)
    result = fakes.join(tmp_path, fakes.good)
    assert (result.finished, result.ended) == (0, "all 4 trials are done")


def test_one_that_comes_first_waits_for_a_search_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoqa.searching.join.PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("autoqa.searching.join._POLL", 0.1)
    events = fakes.Events()
    with pytest.raises(ConfigError, match="no search of it has begun"):
        fakes.join(tmp_path, fakes.good, display=events)
    assert events.said("waits for the search of small to begin")
