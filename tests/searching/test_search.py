"""Whole searches with real worker processes and the faults that befall them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from autoqa.config import load_study
from autoqa.errors import AutoqaError, ConfigError, DataError, NothingFeasibleError
from autoqa.searching.setup import SearchOptions, fingerprint
from autoqa.store.study_tables import Store
from autoqa.supervision.membership import taking_part
from autoqa.training.messages import TrialFinished
from tests.searching import fakes

ROOT = Path(__file__).parents[2]


def trials() -> list[FrozenTrial]:
    url = fakes.run_folder().store_url()
    return optuna.load_study(study_name="small", storage=url).get_trials(deepcopy=False)


def states() -> list[str]:
    return [trial.state.name for trial in trials()]


def candidates() -> list[str]:
    with Store(fakes.run_folder().store_url()) as store:
        return [record.id for record in store.candidates()]


def start(folder: Path, factory: str, text: str = fakes.STUDY) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.searching.fake_search", str(folder), factory, text],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def wait_for_hang(home: Path, seconds: float = 60) -> int:
    end = time.time() + seconds
    while time.time() < end:
        found = list((home / "small").glob("hangs-*"))
        if found:
            return int(found[0].name.split("-")[1])
        time.sleep(0.05)
    raise AssertionError("no trial came to hang")


def gone(pid: int, seconds: float = 10) -> bool:
    end = time.time() + seconds
    while time.time() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_search_records_everything_and_resumes(tmp_path: Path) -> None:
    events = fakes.Events()
    result = fakes.search(tmp_path, fakes.good, display=events)
    assert (result.finished, result.failed) == (4, 0)
    study = optuna.load_study(study_name="small", storage=fakes.run_folder().store_url())
    assert study.metric_names == ["jaccard"]
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    done = [trial for trial in trials() if "duplicate_of" not in trial.user_attrs]
    backbones = [trial.user_attrs["backbone"] for trial in done]
    assert backbones == ["e5", "minilm", "e5", "minilm"]
    assert [trial.user_attrs["origin"] for trial in done[:2]] == ["protocol", "protocol"]
    first = done[0].user_attrs
    assert first["recipe"] == "[squad + tydi] 384/128; lr 3e-05"
    assert first["candidates"] == ["t0000-100", "t0000-50"] or len(first["candidates"]) == 2
    assert {"em", "f1", "windows_per_second", "seconds", "recipe_hash"} <= set(first)
    assert first["jaccard_hi"] == 0.5
    assert done[0].intermediate_values.keys() == {50, 100}
    assert len(candidates()) == 8
    assert result.highest is not None
    assert result.highest.score == max(trial.value for trial in done)  # type: ignore[type-var]
    assert events.said("squad: 2 examples removed")
    pids = {call["pid"] for call in fakes.calls()}
    assert len(pids) == 1
    assert os.getpid() not in pids

    again = fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=6))
    assert again.finished == 6
    assert len(fakes.calls()) == 6
    assert fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=6)).finished == 6
    assert len(fakes.calls()) == 6


def test_workers_have_threads_and_processes_of_their_own(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(workers=2))
    assert len({call["pid"] for call in fakes.calls()}) == 2
    threads = max(1, len(os.sched_getaffinity(0)) // 2)
    assert {call["threads"] for call in fakes.calls()} == {str(threads)}
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"]


def test_a_killed_worker_costs_one_trial_and_is_tried_again(tmp_path: Path) -> None:
    events = fakes.Events()
    result = fakes.search(tmp_path, fakes.killed_once, display=events)
    assert (result.finished, result.failed) == (4, 0)
    lost, retry = trials()[:2]
    assert lost.state == TrialState.FAIL
    assert "killed by signal 9 (SIGKILL" in lost.user_attrs["failure"]
    assert retry.user_attrs["retry_of"] == 0
    assert retry.params == lost.params
    assert retry.state == TrialState.COMPLETE
    assert not list(fakes.run_folder().candidates.glob(".*"))


def test_a_run_whose_files_are_complete_is_not_lost_with_its_worker(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.killed_after_the_last_file, options=SearchOptions(trials=1))
    assert states() == ["COMPLETE"]
    assert candidates() == ["t0000-100"]


def test_divergence_is_tried_again_at_half_the_rate(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.diverges_once, options=SearchOptions(trials=2))
    lost, retry = trials()[:2]
    assert lost.user_attrs["failure"] == "the loss is not finite at step 7"
    assert retry.user_attrs["retry_of"] == 0
    rates = [call["rate"] for call in fakes.calls() if call["backbone"] == "e5"]
    assert rates[1] == rates[0] / 2
    assert "the loss is not finite" in (fakes.run_folder().logs / "worker-0.log").read_text()


def test_a_run_out_of_memory_is_tried_again_in_smaller_forward_passes(tmp_path: Path) -> None:
    events = fakes.Events()
    fakes.search(
        tmp_path, fakes.starves_once, options=SearchOptions(trials=1, workers=1), display=events
    )
    assert [call["micro_scale"] for call in fakes.calls()] == [1.0, 0.5]
    assert len({call["rate"] for call in fakes.calls()}) == 1
    assert events.said("queued again in forward passes of half the size")
    assert len({call["pid"] for call in fakes.calls()}) == 2  # a fresh process


def test_what_a_run_says_is_shown_and_kept_with_the_trial(tmp_path: Path) -> None:
    events = fakes.Events()
    options = SearchOptions(trials=1, workers=1)
    fakes.search(tmp_path, fakes.talks, options=options, display=events)
    assert events.said("trial 0: stage 1 of 1: 12 windows")
    assert events.said("trial 0: goes on from a stage trained before: 3 of 5 steps are done")
    kept = trials()[0].user_attrs
    assert kept["card"] == "stage 1 of 1: 12 windows\nabout 1.0 minutes"
    assert (kept["trained_steps"], kept["reused_steps"]) == (2, 3)


def test_a_run_that_left_stages_behind_lets_the_next_one_take_less_time() -> None:
    assert TrialFinished(0, 60.0, trained_steps=10).next_seconds == 60
    assert TrialFinished(0, 60.0, trained_steps=10, shared_steps=8).next_seconds == 12
    forked = TrialFinished(0, 12.0, trained_steps=2, reused_steps=8, shared_steps=8)
    assert forked.next_seconds == 12


def test_later_cards_know_how_fast_the_backbone_is(tmp_path: Path) -> None:
    text = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "")
    fakes.search(tmp_path, fakes.good, text, SearchOptions(trials=2, workers=1))
    first, second = (call["windows_per_second"] for call in fakes.calls())
    assert first is None
    assert second == trials()[0].user_attrs["windows_per_second"]


@pytest.mark.parametrize(
    "factory, sentence",
    [
        (fakes.raises, "length 12 leaves no room"),
        (fakes.cannot_start, "RuntimeError: no such backend"),
        (fakes.without_snapshot, "the run ended without a snapshot"),
    ],
)
def test_nothing_feasible_says_each_reason_once(tmp_path: Path, factory, sentence: str) -> None:
    text = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "")
    with pytest.raises(NothingFeasibleError) as caught:
        fakes.search(tmp_path, factory, text, SearchOptions(trials=2))
    assert f"2×: {sentence}" in str(caught.value) or sentence in str(caught.value)
    assert str(caught.value).count(sentence) == 1
    assert states() == ["FAIL", "FAIL"]


def test_a_backbone_that_only_fails_is_left_out(tmp_path: Path) -> None:
    text = fakes.STUDY.replace('[backbones.minilm]\ntype = "any"\n', "")
    with pytest.raises(NothingFeasibleError, match="its first 3 trials failed"):
        fakes.search(tmp_path, fakes.raises, text, SearchOptions(trials=50))
    assert len(trials()) == 3


def test_a_study_whose_trials_all_failed_trains_when_the_mistake_is_mended(tmp_path: Path) -> None:
    with pytest.raises(NothingFeasibleError):
        fakes.search(tmp_path, fakes.raises)
    assert len(trials()) == 4
    result = fakes.search(tmp_path, fakes.good)
    assert (result.finished, result.failed) == (4, 4)
    origins = [trial.user_attrs["origin"] for trial in trials()]
    assert origins[4:6] == origins[:2] == ["protocol", "protocol"]


def test_a_score_that_is_no_number_fails(tmp_path: Path) -> None:
    with pytest.raises(NothingFeasibleError, match="not a number"):
        fakes.search(tmp_path, fakes.not_a_number, options=SearchOptions(trials=1))


def test_the_same_recipe_is_not_trained_twice(tmp_path: Path) -> None:
    text = fakes.STUDY.replace(
        "workers = 1\n",
        'workers = 1\n[[search.enqueue]]\nbackbone = "e5"\nlearning_rate = 3e-5\n',
    )
    events = fakes.Events()
    result = fakes.search(tmp_path, fakes.good, text, display=events)
    twins = [trial for trial in trials() if "duplicate_of" in trial.user_attrs]
    assert [trial.user_attrs["duplicate_of"] for trial in twins] == [0]
    assert twins[0].value == trials()[0].value
    assert (result.finished, result.duplicates) == (4, 1)
    assert len(fakes.calls()) == 4
    assert events.said("repeats trial 0")


def test_a_space_that_is_used_up_ends_the_search(tmp_path: Path) -> None:
    text = (
        fakes.STUDY.replace('include = "search"\n', "")
        .replace('languages = "search"\nshare = [0.5, 1.0]\n', "")
        .replace("stages = {low = 1, high = 2}", "learning_rate = 1.0")
    )
    result = fakes.search(tmp_path, fakes.good, text)
    assert result.finished == 2
    assert "no recipe that was not trained before" in result.ended


def test_an_empty_recipe_is_not_trained(tmp_path: Path) -> None:
    text = fakes.STUDY.replace('include = "search"', "include = false").replace(
        "workers = 1\n",
        'workers = 1\n[[search.enqueue]]\nbackbone = "e5"\n'
        "tydi.lang_bn = false\ntydi.lang_te = false\n",
    )
    fakes.search(tmp_path, fakes.good, text)
    empty = [trial for trial in trials() if trial.state == TrialState.PRUNED]
    assert empty
    assert empty[0].user_attrs["failure"] == "the recipe selects nothing"
    assert empty[0].number not in {call["trial"] for call in fakes.calls()}


def test_a_changed_study_is_refused_unless_accepted(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    more = fakes.STUDY.replace("trials = 4", "trials = 2\nminutes = 60")
    assert fakes.search(tmp_path, fakes.good, more).finished == 2
    changed = fakes.STUDY.replace("seed = 3", "seed = 4")
    with pytest.raises(ConfigError, match=r"(?s)seed: 3 -> 4.*--accept-changes") as caught:
        fakes.search(tmp_path, fakes.good, changed)
    assert any("seed" in problem for problem in caught.value.problems)
    accepted = SearchOptions(trials=3, accept_changes=True)
    assert fakes.search(tmp_path, fakes.good, changed, accepted).finished == 3
    assert fakes.run_folder().study_file.read_text() == changed


def test_a_licence_may_be_stated_later(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    begun = fingerprint(load_study(fakes.run_folder().study_file))
    stated = fakes.STUDY.replace("[sources.tydi]", '[sources.tydi]\nlicence = "Apache-2.0"')
    assert stated != fakes.STUDY
    assert fakes.search(tmp_path, fakes.good, stated, SearchOptions(trials=2)).finished == 2
    frozen = load_study(fakes.run_folder().study_file)
    assert frozen.sources["tydi"].licence == "Apache-2.0"
    assert fingerprint(frozen) == begun  # `autoqa retrain` compares it


def test_changed_choices_are_refused_even_if_accepted(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    changed = fakes.STUDY.replace("[0.5, 1.0]", "[0.25, 1.0]")
    with pytest.raises(ConfigError, match=r"e5\.tydi\.share: its choices were 0\.5, 1\.0"):
        fakes.search(tmp_path, fakes.good, changed, SearchOptions(accept_changes=True))


LIMITED = fakes.STUDY.replace('source = "chaii"', 'source = "chaii"\nmax_answer_tokens = 60')


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize(
    ("begun", "changed", "words"),
    [
        (fakes.STUDY, LIMITED, "unset -> 60"),
        (LIMITED, LIMITED.replace("60", "80"), "60 -> 80"),
        (LIMITED, fakes.STUDY, "60 -> unset"),
    ],
)
def test_another_limit_on_answers_is_refused_even_if_accepted(
    tmp_path: Path, begun: str, changed: str, words: str, accept: bool
) -> None:
    fakes.search(tmp_path, fakes.good, begun, SearchOptions(trials=1))
    with pytest.raises(ConfigError) as caught:
        fakes.search(tmp_path, fakes.good, changed, SearchOptions(accept_changes=accept))
    assert str(caught.value) == (
        f"validation.max_answer_tokens: {words}: study 'small' has scores of answers with the "
        "other limit, which could not be compared with new ones; give the changed study another "
        "name, or put the key back"
    )
    assert fakes.run_folder().study_file.read_text() == begun
    assert fakes.search(tmp_path, fakes.good, begun, SearchOptions(trials=2)).finished == 2


def test_trials_values_are_named_by_the_studys_metric(tmp_path: Path) -> None:
    text = fakes.STUDY.replace('source = "chaii"', 'source = "chaii"\nmetric = "mlqa"')
    fakes.search(tmp_path, fakes.good, text, SearchOptions(trials=1))
    study = optuna.load_study(study_name="small", storage=fakes.run_folder().store_url())
    assert study.metric_names == ["mlqa"]


def test_another_metric_is_refused_even_if_accepted(tmp_path: Path) -> None:
    other = fakes.STUDY.replace('source = "chaii"', 'source = "chaii"\nmetric = "mlqa"')
    fakes.search(tmp_path, fakes.good, fakes.STUDY, SearchOptions(trials=1))
    with pytest.raises(ConfigError) as caught:
        fakes.search(tmp_path, fakes.good, other, SearchOptions(accept_changes=True))
    assert str(caught.value) == (
        'validation.metric: "jaccard" -> "mlqa": '
        "study 'small' has trials whose values are of the other metric, which cannot be compared "
        "with new ones; give the changed study another name, or put the key back"
    )
    written = fakes.STUDY.replace('source = "chaii"', 'source = "chaii"\nmetric = "jaccard"')
    accepted = SearchOptions(trials=2, accept_changes=True)
    assert fakes.search(tmp_path, fakes.good, written, accepted).finished == 2


def test_a_limit_that_no_window_holds_is_refused(tmp_path: Path) -> None:
    text = LIMITED.replace("60", "384")
    with pytest.raises(ConfigError) as caught:
        fakes.search(tmp_path, fakes.good, text)
    assert caught.value.problems[0] == (
        "validation.max_answer_tokens: 384, but windows of backbone 'e5' have 384 tokens, question "
        "included; an answer stands in one window"
    )


def test_other_validation_questions_are_refused_before_the_study_is_touched(
    tmp_path: Path,
) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    with Store(fakes.run_folder().store_url()) as store:
        assert store.validation_fingerprint() is not None

    def other(bound):
        data = fakes.prepare(bound)
        data.public = data.public[:2]
        return data

    changed = fakes.STUDY.replace("seed = 3", "seed = 4")
    accepted = SearchOptions(accept_changes=True)
    with pytest.raises(DataError, match="public: of 4 questions 2 gone, 0 changed, 0 new"):
        fakes.search(tmp_path, fakes.good, changed, accepted, prepare_with=other)
    assert fakes.run_folder().study_file.read_text() == fakes.STUDY


def test_a_second_search_of_the_same_study_is_refused(tmp_path: Path) -> None:
    fakes.run_folder().create()
    with (
        Store(fakes.run_folder().store_url(), "small") as store,
        taking_part(store, "search", leads=True),
        pytest.raises(AutoqaError, match=f"worked on: search by process {os.getpid()} on .*"),
    ):
        fakes.search(tmp_path, fakes.good)


def test_time_ends_the_search_and_keeps_what_was_reached(tmp_path: Path) -> None:
    options = SearchOptions(trials=10, minutes=6 / 60)
    fakes.time_beforehand(tmp_path, fakes.until_deadline, fakes.STUDY, options)
    started = time.time()
    result = fakes.search(tmp_path, fakes.until_deadline, options=options)
    assert result.ended == "the time is over"
    assert time.time() - started < 30
    assert trials()[0].user_attrs["fraction"] == 0.4
    assert len(fakes.calls()) == 1


def test_ctrl_c_ends_in_good_order_and_the_next_search_goes_on(tmp_path: Path, home: Path) -> None:
    process = start(tmp_path, "slow_second")
    worker = wait_for_hang(home)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "The same command goes on" in said
    assert "torch imported: False" in said
    assert gone(worker)
    assert states() == ["COMPLETE", "FAIL", "WAITING"]
    lost, waiting = trials()[1:]
    assert lost.user_attrs["failure"] == "interrupted"
    assert waiting.user_attrs["continues"] == 1
    assert candidates() == ["t0000-100", "t0000-50", "t0001-50"]
    assert not list(fakes.run_folder().candidates.glob(".*"))
    result = fakes.search(tmp_path, fakes.good)
    assert (result.finished, result.failed) == (4, 0)
    assert trials()[2].state == TrialState.COMPLETE
    assert trials()[2].params == lost.params


def test_a_second_signal_kills_at_once(tmp_path: Path, home: Path) -> None:
    process = start(tmp_path, "answers_the_end")
    worker = wait_for_hang(home)
    process.send_signal(signal.SIGINT)  # the second one comes from the worker that should end
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert gone(worker)


def test_a_killed_search_is_cleared_up_by_the_next_one(tmp_path: Path, home: Path) -> None:
    process = start(tmp_path, "slow_second")
    worker = wait_for_hang(home)
    process.kill()
    process.communicate(timeout=10)
    assert gone(worker)  # a worker does not train on for nobody
    assert states() == ["COMPLETE", "RUNNING"]
    events = fakes.Events()
    result = fakes.search(tmp_path, fakes.good, display=events)
    assert trials()[1].user_attrs["failure"] == "parent died"
    assert trials()[2].user_attrs["continues"] == 1
    assert (result.finished, result.failed) == (4, 0)
    assert events.said("its parameters are queued again")
    assert events.said("removed .t0001-100.partial")
    assert "t0001-50" in candidates()


def test_complete_runs_of_a_dead_search_are_adopted(tmp_path: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=1))
    # As if the search had died after the files were complete and before anything was recorded.
    study = optuna.load_study(study_name="small", storage=fakes.run_folder().store_url())
    trial = study.ask()
    trial.set_user_attr("backbone", "minilm")
    row = json.loads((fakes.run_folder().candidate("t0000-100") / "candidate.json").read_text())
    row |= {"id": "t0001-100", "trial": 1, "backbone": "minilm"}
    folder = fakes.run_folder().candidate("t0001-100")
    folder.mkdir()
    (folder / "candidate.json").write_text(json.dumps(row))
    result = fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=2))
    assert states() == ["COMPLETE", "COMPLETE"]
    assert result.finished == 2
    assert "t0001-100" in candidates()
    assert len(fakes.calls()) == 1


def test_the_dashboard_opens_it_as_it_is(tmp_path: Path) -> None:
    dashboard = pytest.importorskip("optuna_dashboard")
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=2))
    app = dashboard.wsgi(optuna.storages.RDBStorage(fakes.run_folder().store_url()))

    def get(path: str) -> dict[str, Any]:
        request = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        setup_testing_defaults(request)
        return json.loads(b"".join(app(request, lambda *_: None)))

    (summary,) = get("/api/studies")["study_summaries"]
    assert summary["study_name"] == "small"
    detail = get(f"/api/studies/{summary['study_id']}")
    assert detail["objective_names"] == ["jaccard"]
    shown = {each["key"]: each["value"] for each in detail["trials"][0]["user_attrs"]}
    assert "[squad + tydi] 384/128; lr 3e-05" in shown["recipe"]
    names = {each["name"] for each in detail["trials"][0]["params"]}
    assert {"e5.learning_rate", "e5.squad.include", "e5.tydi.lang_bn"} <= names
