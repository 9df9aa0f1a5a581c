"""Runs of a later round go on from the mean of the round before."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from autoqa.ablation.experiment import AblationOptions, Experiment
from autoqa.analysis.finished_run import open_run
from autoqa.config import load_study
from autoqa.errors import ConfigError
from autoqa.recipes import Method, Portion, Recipe, Stage, TrainingRun
from autoqa.searching.rounds import MIN_ENDS, Rounds, better_half, going_on, mergeable
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.candidate_rounds import depths, outdone_rounds
from autoqa.store.checksums import checksum
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop
from autoqa.trials.trial_attributes import TrialAttributes
from tests.conftest import Run
from tests.store.test_study_tables import with_jaccard
from tests.toy_study import copied_run, records, search_study, write_study

RECIPE = Recipe((Stage((Portion("a"),), 256, 64),), Method(reinit_layers=2, mlm_epochs=1.0))
RUN = TrainingRun(RECIPE, 4e-5, 7)
PLAIN = Recipe((Stage((Portion("a"),), 256, 64),), Method()).to_dict()


def end(trial: int, jaccard: float = 0.5, *begins_with: str, **changes: Any) -> CandidateRecord:
    return with_jaccard(
        jaccard,
        id=f"t{trial:04d}-100",
        trial=trial,
        recipe=PLAIN,
        begins_with=begins_with,
        **changes,
    )


FIRST = [end(0, 0.4), end(1, 0.5)]
SECOND = [end(2, 0.6, "t0000-100", "t0001-100"), end(3, 0.3, "t0000-100", "t0001-100")]


class Fixture:
    """A search of two rounds with given candidates and running trials."""

    def __init__(
        self, folder: Path, records: Sequence[CandidateRecord], running: Sequence[Any] = ()
    ) -> None:
        self.folder = RunFolder(folder)
        self.store = Store(f"sqlite:///{folder / 'study.db'}", "a")
        for each in records:
            self.store.add_candidate(each)
            self.folder.model(each.id).mkdir(parents=True)
            (self.folder.model(each.id) / WEIGHTS).touch()
        trials = SimpleNamespace(tally=SimpleNamespace(running=list(running)))
        self.rounds = Rounds(2, cast(Any, trials), self.store, self.folder)


def running(trial: int, *begins_with: str) -> Any:
    attributes = TrialAttributes(backbone="e5", begins_with=list(begins_with))
    return SimpleNamespace(number=trial, user_attrs=attributes.as_dict())


@given(st.integers(1, 6), st.floats(0, 1))
def test_rounds_are_of_equal_length(count: int, done: float) -> None:
    rounds = Rounds(count, cast(Any, None), cast(Any, None), cast(Any, None))
    assert rounds.number(done) == min(count - 1, int(np.floor(done * count)))


def test_the_first_round_begins_with_pretrained_weights(tmp_path: Path) -> None:
    rounds = Fixture(tmp_path, FIRST).rounds
    assert rounds.go_on("e5", RUN, None, 0.4) == RUN
    assert not rounds.waits("e5", 0.4)


def test_the_next_one_with_the_mean_of_ends(tmp_path: Path) -> None:
    rounds = Fixture(tmp_path, [*FIRST, end(4, backbone="other")]).rounds
    run = rounds.go_on("e5", RUN, None, 0.6)
    assert run.begins_with == ("t0000-100", "t0001-100")
    assert run.learning_rate == 2e-5
    assert run.rate_from_pretrained == RUN.learning_rate
    assert run.recipe.method == Method(), "what began anew has learned by now"
    assert run.key != replace(run, begins_with=()).key


def test_a_run_that_is_tried_again_begins_as_before(tmp_path: Path) -> None:
    rounds = Fixture(tmp_path, FIRST).rounds
    assert rounds.go_on("e5", RUN, (), 0.9) == RUN
    assert rounds.go_on("e5", RUN, ["t0001-100"], 0.1).begins_with == ("t0001-100",)


def test_without_anything_to_go_on_from_a_run_begins_anew(tmp_path: Path) -> None:
    assert Fixture(tmp_path, []).rounds.go_on("e5", RUN, None, 0.9) == RUN


def test_dropped_weights_and_points_of_runs_that_go_on_are_no_beginning(tmp_path: Path) -> None:
    made = Fixture(tmp_path, FIRST, [running(1)])
    assert made.rounds.go_on("e5", RUN, None, 0.9).begins_with == ("t0000-100",)
    (made.folder.model("t0000-100") / WEIGHTS).unlink()
    assert made.rounds.go_on("e5", RUN, None, 0.9) == RUN


def test_later_rounds_go_on_from_the_latest_one(tmp_path: Path) -> None:
    made = Fixture(tmp_path, [*FIRST, *SECOND])
    rounds = replace(made.rounds, count=3)
    assert rounds.go_on("e5", RUN, None, 0.9).begins_with == ("t0002-100", "t0003-100")
    assert rounds.go_on("e5", RUN, None, 0.5).begins_with == ("t0000-100", "t0001-100")


@pytest.mark.parametrize(
    ("ends", "busy", "waits"),
    [
        ([], [running(0), running(1)], True),
        (FIRST[:1], [running(1)], True),
        (FIRST, [running(5)], False),
        (FIRST[:1], [running(5, "t0000-100")], False),
        (FIRST[:1], [], False),
    ],
)
def test_a_round_waits_for_two_ends_where_they_are_to_come(
    tmp_path: Path, ends: list[CandidateRecord], busy: list[Any], waits: bool
) -> None:
    assert Fixture(tmp_path, ends, busy).rounds.waits("e5", 0.6) == waits


def test_other_heads_and_layers_that_began_anew_cannot_be_merged() -> None:
    def with_method(trial: int, **method: Any) -> CandidateRecord:
        return replace(end(trial), recipe=Recipe(RECIPE.stages, Method(**method)).to_dict())

    records = [end(0), with_method(1, head="conditional"), with_method(2, reinit_layers=1)]
    assert mergeable(records, "independent") == records[:1]
    assert mergeable(records, "conditional") == records[1:2]


@given(st.lists(st.floats(0, 1), max_size=9))
def test_the_better_half_is_taken(scores: list[float]) -> None:
    ends = [end(number, score) for number, score in enumerate(scores)]
    chosen = better_half(ends)
    assert len(chosen) == min(len(ends), max(MIN_ENDS, (len(ends) + 1) // 2))
    left = [each.score for each in ends if each not in chosen]
    assert max(left, default=0.0) <= min((each.score for each in chosen), default=0.0)


def test_nothing_to_begin_with_leaves_a_run_as_it_is() -> None:
    assert going_on(RUN, [], 0.5) is RUN


def test_depths_count_rounds_whatever_the_numbers_of_trials() -> None:
    late = end(9, 0.5)  # queued by hand before the others, say, and trained after them
    third = end(4, 0.5, "t0002-100", "t0009-100")
    soup = replace(end(5), id="soup-e5-1", ingredients=("t0000-100", "t0001-100"))
    assert depths([third, *SECOND, late, *FIRST, soup]) == {
        "t0000-100": 0,
        "t0001-100": 0,
        "t0002-100": 1,
        "t0003-100": 1,
        "t0004-100": 2,
        "t0009-100": 0,
    }


def test_a_round_that_is_outdone_is_no_rival() -> None:
    soup = replace(end(8, 0.9), id="soup-e5-1", ingredients=("t0000-100", "t0001-100"))
    other = end(7, 0.1, backbone="other")
    better = [replace(each, scores={**each.scores, "jaccard": 0.7}) for each in SECOND]
    assert outdone_rounds([*FIRST, *better, soup, other]) == {"t0000-100", "t0001-100", soup.id}
    assert outdone_rounds([*FIRST, *SECOND, other]) == set(), "equal in the mean"
    assert outdone_rounds([*FIRST, soup]) == set()


def test_rounds_and_folds_exclude_each_other(tmp_path: Path) -> None:
    study = write_study(tmp_path, "rounds = 2\n", share=0.5)
    study.write_text(study.read_text().replace("public = 0.5", "public = 0.5\nfolds = 3"))
    with pytest.raises(ConfigError, match=r"search.rounds: with validation.folds = 3 the mean"):
        load_study(study)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two rounds of two runs."""
    folder = tmp_path_factory.mktemp("study")
    tail = "trials = 4\nworkers = 1\nrounds = 2\nsoups = true\n"
    return search_study(write_study(folder, tail, share=0.5))


@pytest.fixture
def folder(searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    return copied_run(searched, home, monkeypatch)


def test_a_search_in_two_rounds(folder: RunFolder) -> None:
    found = records(folder)
    before = ("t0000-100", "t0001-100")
    assert {name: each.begins_with for name, each in found.items() if name.endswith("-100")} == {
        "t0000-100": (),
        "t0001-100": (),
        "t0002-100": before,
        "t0003-100": before,
    }
    depth = depths(found.values())
    for soup in found.values():
        assert len({depth[name] for name in soup.ingredients}) <= 1, "of one round"
    assert found == {name: folder.read_record(name) for name in found}
    assert not [*folder.path.glob(".beginning-*")]


def test_the_card_and_the_log_say_what_a_run_begins_with(
    folder: RunFolder, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "bundle"
    code, _, err = run("export", "toy", "--candidate", "t0003-100", "--to", target)
    assert code == 0, err
    assert (
        "begins with the mean weights of t0000-100, t0001-100" in (target / "README.md").read_text()
    )


def test_the_leaderboard_tells_rounds_apart(folder: RunFolder, run: Run) -> None:
    code, out, err = run("leaderboard", "toy", "--wide")
    assert code == 0, err
    rows = re.findall(r"(t000\d)-\d{3} .*? [0-9a-f]{12}( on mean of 2)?\s*$", out, re.M)
    assert {(name, bool(begun)) for name, begun in rows} == {
        ("t0000", False),
        ("t0001", False),
        ("t0002", True),
        ("t0003", True),
    }


def test_a_selection_leaves_out_what_a_later_round_outdoes(folder: RunFolder, run: Run) -> None:
    left_out = outdone_rounds(list(records(folder).values()))
    code, _, err = run("select", "toy")
    assert code == 0, err
    selection = json.loads(folder.selection.read_text())
    assert not left_out & set(selection["considered"])
    said = f"rounds that a later one outdoes, which were left out: {len(left_out)}."
    assert (said in " ".join(err.split())) == bool(left_out)


def test_weights_of_a_later_round_come_back_to_the_last_bit(folder: RunFolder, run: Run) -> None:
    then = checksum(folder.model("t0002-100") / WEIGHTS)
    for name in ("t0002-100", "t0000-100"):
        drop(folder, name)
    code, _, err = run("retrain", "toy", "t0002-100")
    assert code == 4
    assert (
        "t0002-100 began with the weights of t0000-100, whose weights were dropped, too: "
        "`autoqa retrain toy t0000-100 t0002-100`" in " ".join(err.split())
    )
    code, _, err = run("retrain", "toy", "t0002-100", "t0000-100")
    assert code == 0, err
    assert checksum(folder.model("t0002-100") / WEIGHTS) == then


def test_a_refit_of_a_later_round_goes_on_from_the_same_mean(
    folder: RunFolder, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "bundle"
    code, _, err = run("export", "toy", "--candidate", "t0003-100", "--refit", "--to", target)
    assert code == 0, err
    (weights,) = target.rglob(WEIGHTS)
    own = load_file(folder.model("t0003-100") / WEIGHTS)
    refitted = load_file(weights)
    assert any(
        not np.array_equal(own[name], each) for name, each in refitted.items() if name in own
    )


def test_an_ablation_of_a_later_round_goes_on_from_the_same_mean(folder: RunFolder) -> None:
    run = open_run("toy")
    with run.store:
        experiment = Experiment.of(run, AblationOptions(base="t0003-100"))
    base = folder.read_record("t0003-100").training_run
    arm = experiment.arms[0].recipe
    assert experiment.seeded(arm, 1) == replace(base, recipe=arm, seed=base.seed + 1)
    assert base.begins_with


def test_rounds_may_begin_later_in_a_study_without(
    folder: RunFolder, run: Run, searched: Path
) -> None:
    """Trials of a search without rounds are the first round of one that has some."""
    study = searched / "study.toml"
    code, _, err = run("search", study, "--trials", "5")
    assert code == 0, err
    (fifth,) = (each for each in records(folder).values() if each.id == "t0004-100")
    assert set(fifth.begins_with) <= {"t0000-100", "t0001-100"}
