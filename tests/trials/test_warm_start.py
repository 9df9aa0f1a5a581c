"""Another study's trials: translated, tried, moved by the common recipes, and never sealed ones."""

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from autoqa.config import load_study
from autoqa.errors import ConfigError
from autoqa.proposals.first_points import Point, protocol_parameters
from autoqa.searching.setup import SearchOptions
from autoqa.store.run_folder import RunFolder
from autoqa.trials.optuna_study import open_study, past_study
from autoqa.trials.trials import Trials
from autoqa.trials.warm_start import TRIED, PastStudy, read_prior
from tests.proposals.test_space import space
from tests.searching import fakes
from tests.store.test_study_tables import with_jaccard


def study(name: str, **backbones: str) -> Any:
    tables = {key: SimpleNamespace(type=kind) for key, kind in backbones.items()}
    return SimpleNamespace(
        name=name, backbones=tables, validation=SimpleNamespace(metric="jaccard")
    )


def past_trial(value: float, rate: float, **changed: Any) -> optuna.trial.FrozenTrial:
    """A finished trial of the same space, its protocol with changes."""
    of = space()
    parameters = {
        **protocol_parameters(of),
        of.name("learning_rate"): rate,
        **{of.name(key.replace("__", ".")): value for key, value in changed.items()},
    }
    return optuna.create_trial(
        params=parameters,
        distributions=of.distributions(),
        value=value,
        user_attrs={"backbone": "e5"},
    )


OTHERS = [past_trial(0.5, 3e-5), past_trial(0.6, 2e-5), past_trial(0.7, 4e-5, tydi__lang_bn=False)]
OTHERS += [past_trial(0.4, 6e-5), past_trial(0.3, 5e-5)]
OTHER = PastStudy(study("other", e5="e5-small"), OTHERS, [fakes.example(1)])
MINE = study("mine", e5="e5-small")


def test_trials_are_translated_best_first() -> None:
    prior = read_prior(OTHER, MINE, {"e5": space()}, [fakes.example(2)])
    assert [past.score for past in prior.past["e5"]] == [0.7, 0.6, 0.5, 0.4, 0.3]
    assert prior.past["e5"][0].parameters["e5.tydi.lang_bn"] is False
    # Lengths of stages that the recipe does not have are no parameters of it.
    assert "e5.length_2" not in prior.past["e5"][0].parameters
    assert [point.origin for point in prior.points("e5")] == [
        "warm start other 1",
        "warm start other 2",
    ]
    assert prior.sentence() == (
        "warm start: the spaces hold 5 of 5 finished trials of other; its best 2 are tried early"
    )


def test_what_the_space_does_not_allow_is_left_out_and_what_is_new_is_as_in_the_protocol() -> None:
    narrow = space(learning_rate=1.5, method={"head": ["independent", "conditional"]})
    prior = read_prior(OTHER, MINE, {"e5": narrow}, [])
    assert prior.left_out == 2
    assert [past.score for past in prior.past["e5"]] == [0.7, 0.6, 0.5]
    assert prior.past["e5"][0].parameters["e5.method.head"] == "independent"


def test_the_sampler_learns_once_the_common_recipes_are_known() -> None:
    said: list[str] = []
    of = space()
    first = {"e5": [Point("protocol", protocol_parameters(of))]}
    trials = Trials(
        open_study("mine", "sqlite://", 0), {"e5": of}, first, 0, "v1", note=said.append
    )
    trials.prior = read_prior(OTHER, MINE, {"e5": of}, [])
    proposals = [trials.propose(100, lambda _: True) for _ in range(1 + TRIED)]
    origins = [each.trial.user_attrs["origin"] for each in proposals]  # type: ignore[union-attr]
    assert origins == ["protocol", "warm start other 1", "warm start other 2"]
    # Nothing has finished: nothing is known about the difference, and the sampler goes on alone.
    assert trials.propose(100, lambda _: True) is not None
    assert not said
    for proposal, value in zip(proposals, (0.40, 0.60, 0.52), strict=True):
        assert proposal is not None
        run = proposal.run
        record = with_jaccard(
            value, recipe=asdict(run.recipe), learning_rate=run.learning_rate, seed=run.seed
        )
        trials.finish(proposal.trial, [record], 1.0)
    assert trials.propose(100, lambda _: True) is not None
    added = [each for each in trials.in_states() if each.user_attrs.get("elsewhere")]
    assert [each.value for each in added] == pytest.approx([0.4 - 0.28 / 3, 0.3 - 0.28 / 3])
    assert said == [
        "warm start other: the sampler learns from 2 trials of e5, with -0.093 on their scores"
    ]
    assert trials.settled() == 3
    assert trials.look().planned() == 5
    assert trials.propose(100, lambda _: True) is not None
    assert len([each for each in trials.in_states() if each.user_attrs.get("elsewhere")]) == 2


@pytest.mark.parametrize(
    ("past", "mine", "sentence"),
    [
        (OTHER, study("other", e5="e5-small"), "goes on from its own trials"),
        (OTHER, study("mine", e5="minilm-l6"), r"it has e5 \(e5-small\), this study has e5 \(mini"),
        (PastStudy(OTHER.study, [], []), MINE, "it has 0 finished trials of e5"),
        (
            PastStudy(OTHER.study, OTHERS, [fakes.example(7)]),
            MINE,
            "1 of the questions that guided",
        ),
    ],
)
def test_what_cannot_be_used_is_said(past: PastStudy, mine: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read_prior(past, mine, {"e5": space()}, [fakes.example(7)])


def test_a_whole_search_begins_with_another_ones_best(tmp_path: Path, home: Path) -> None:
    fakes.search(tmp_path, fakes.good, options=SearchOptions(trials=8))
    folder = RunFolder(home / "small")
    past = past_study(load_study(folder.study_file, frozen=True), folder)
    events = fakes.Events()
    second = tmp_path / "second"
    second.mkdir()
    text = fakes.STUDY.replace('name = "small"', 'name = "second"')
    result = fakes.search(
        second, fakes.good, text, SearchOptions(trials=8, warm_start=past), events
    )
    assert result.finished == 8
    url = RunFolder(home / "second").store_url()
    trials = open_study("second", url, 0).get_trials(states=[TrialState.COMPLETE])
    assert any(trial.user_attrs["origin"] == "warm start small 1" for trial in trials)
    assert any(trial.user_attrs.get("elsewhere") for trial in trials)
    assert events.said("with +0.000 on their scores")
