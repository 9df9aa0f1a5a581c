from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from optuna.trial import TrialState

from autoqa.proposals.first_points import Point, protocol_parameters
from autoqa.proposals.shown_trials import ShownTrials
from autoqa.recipes import TrainingRun
from autoqa.trials.optuna_study import open_study, recover
from autoqa.trials.proposal import Proposal
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import MAX_FAILURES, Trials
from tests.proposals.test_space import space
from tests.store.test_study_tables import with_jaccard


def trials(**first: list[Point]) -> Trials:
    study = open_study("small", "sqlite://", seed=0)
    spaces = {name: space() for name in (first or {"e5": []})}
    for name, made in spaces.items():
        object.__setattr__(made, "backbone", name)
    return Trials(study, spaces, first or {"e5": []}, 0, "v1", note=lambda _: None)


def propose(study: Trials, total: int = 100) -> Proposal:
    proposal = study.propose(total, lambda _: True)
    assert proposal is not None
    return proposal


def attributes(study: Trials, number: int) -> dict[str, Any]:
    return study.in_states()[number].user_attrs


def test_backbones_take_turns_while_trials_run() -> None:
    study = trials(e5=[], minilm=[])
    assert [propose(study).backbone for _ in range(4)] == ["e5", "minilm", "e5", "minilm"]
    assert study.propose(4, lambda _: True) is None
    assert study.propose(9, lambda name: name == "minilm").backbone == "minilm"  # type: ignore[union-attr]


def test_a_twin_of_a_running_trial_waits_for_no_value() -> None:
    point = protocol_parameters(space())
    study = trials(e5=[Point("protocol", point), Point("enqueued 1", point)])
    first = propose(study)
    second = propose(study)
    assert (first.trial.number, second.trial.number) == (0, 2)
    twin = study.in_states()[1]
    assert twin.state == TrialState.FAIL
    assert twin.user_attrs["duplicate_of"] == 0
    assert study.look().planned() == 2


def test_a_trial_is_repeated_once() -> None:
    study = trials()
    assert study.fail(propose(study).trial, "killed", "same")
    again = propose(study)
    assert again.trial.user_attrs["retry_of"] == 0
    assert study.settled() == 0
    assert not study.fail(again.trial, "killed again", "same")
    assert study.settled() == 1
    assert "queued_again" not in attributes(study, 1)


def test_a_run_that_is_tried_again_begins_with_what_it_began_with() -> None:
    study, asked = trials(), []

    def go_on(backbone: str, run: TrainingRun, before: Sequence[str] | None) -> TrainingRun:
        asked.append(before)
        return replace(run, begins_with=("t0000-100",) if before is None else tuple(before))

    def next_one() -> Proposal:
        proposal = study.propose(100, lambda _: True, go_on)
        assert proposal is not None
        return proposal

    first = next_one()
    assert first.run.key.endswith("/t0000-100")
    study.fail(first.trial, "interrupted", "continue")
    assert next_one().run == first.run
    pretrained = propose(study)
    study.fail(pretrained.trial, "interrupted", "continue")
    assert next_one().run == pretrained.run
    assert asked == [None, ["t0000-100"], ()]


def test_where_all_failed_in_an_earlier_search_all_is_tried_again() -> None:
    point = Point("protocol", protocol_parameters(space()))
    study = trials(e5=[point])
    for _ in range(MAX_FAILURES):
        study.fail(propose(study).trial, "length 1024 on 512 positions")
    assert study.settled() == MAX_FAILURES
    assert "e5" in study.left_out
    assert study.propose(100, lambda _: True) is None
    later = Trials(study.study, study.spaces, {"e5": [point]}, 0, "v1", note=lambda _: None)
    assert later.settled() == later.look().planned() == 0
    again = later.propose(1, lambda _: True)
    assert again is not None
    assert attributes(later, again.trial.number)["origin"] == "protocol"
    assert later.propose(1, lambda _: True) is None  # the one that is wanted runs
    later.fail(again.trial, "length 1024 on 512 positions")
    assert later.settled() == 1


def test_what_failed_beside_others_for_its_recipe_counts_on_in_the_same_version() -> None:
    study = trials()
    study.fail(propose(study).trial, "diverged")
    done = propose(study)
    study.study.tell(done.trial, 0.5)
    spaces, first = study.spaces, {"e5": []}
    same = Trials(study.study, spaces, first, 0, study.version, note=lambda _: None)
    assert same.settled() == 2
    changed = Trials(study.study, spaces, first, 0, "v2", note=lambda _: None)
    assert changed.settled() == 1
    broken = propose(study)
    TrialAttributes(mistake=True).write(broken.trial)
    study.fail(broken.trial, "a plugin raised")
    assert study.settled() == 3
    mended = Trials(study.study, spaces, first, 0, study.version, note=lambda _: None)
    assert mended.settled() == 2


def test_an_interrupted_retry_stays_a_retry() -> None:
    study = trials()
    study.fail(propose(study).trial, "diverged", "slower")
    retry = propose(study)
    study.fail(retry.trial, "interrupted", "continue")
    third = propose(study)
    assert third.trial.user_attrs["retry_of"] == 0
    assert third.trial.user_attrs["continues"] == 1
    assert third.run.learning_rate == retry.run.learning_rate
    assert not study.fail(third.trial, "diverged", "slower")


def test_half_the_rate_may_lie_below_the_range() -> None:
    low = protocol_parameters(space()) | {"e5.learning_rate": 1e-5}
    study = trials(e5=[Point("enqueued 1", low)])
    study.fail(propose(study).trial, "diverged", "slower")
    assert propose(study).run.learning_rate == 5e-6


def test_fewer_trials_than_queued_start_nothing() -> None:
    study = trials()
    study.fail(propose(study).trial, "interrupted", "continue")
    assert study.propose(0, lambda _: True) is None
    assert study.propose(1, lambda _: False) is None
    assert study.propose(1, lambda _: True) is not None


def test_trials_queued_by_hand_find_their_backbone() -> None:
    study = trials(e5=[], minilm=[])
    study.study.enqueue_trial({"minilm.stages": 3})
    study.study.enqueue_trial({"gone.stages": 3})
    proposal = propose(study)
    assert proposal.backbone == "minilm"
    assert proposal.trial.params["minilm.stages"] == 3
    assert propose(study).trial.number > 1
    assert study.in_states()[1].state == TrialState.PRUNED


def test_three_failures_without_a_success_leave_a_backbone_out() -> None:
    study = trials(e5=[], minilm=[])
    for _ in range(6):
        proposal = propose(study)
        if proposal.backbone == "e5":
            study.fail(proposal.trial, "no weights")
    assert list(study.left_out) == ["e5"]
    assert {propose(study).backbone for _ in range(3)} == {"minilm"}


@pytest.mark.filterwarnings("error")
def test_opening_a_study_warns_of_nothing() -> None:
    study = open_study("quiet", "sqlite://", seed=1)
    assert isinstance(study.sampler, ShownTrials)
    assert study.metric_names == ["jaccard"]


@pytest.mark.parametrize("made_of", [(), ("t0000-050",)])
def test_a_soup_does_not_make_a_dead_run_complete(made_of: tuple[str, ...]) -> None:
    study = trials()
    assert propose(study).trial.number == 0
    record = with_jaccard(
        0.6,
        id="t0000-100",
        trial=0,
        fraction=1.0,
        ingredients=made_of,
        recipe={"stages": [], "method": {}},
    )
    (sentence,) = recover(study, [record], 1.0)
    assert ("queued again" in sentence) == bool(made_of)
