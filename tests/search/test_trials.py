from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from autoqa.search.first_points import Point, protocol_parameters
from autoqa.search.optuna_study import open_study
from autoqa.search.trials import Ledger, Proposal
from tests.search.test_space import space


def ledger(**first: list[Point]) -> Ledger:
    study = open_study("small", "sqlite://", seed=0)
    spaces = {name: space() for name in (first or {"e5": []})}
    for name, made in spaces.items():
        object.__setattr__(made, "backbone", name)
    return Ledger(study, spaces, first or {"e5": []}, 0, "v1", note=lambda _: None)


def propose(book: Ledger, total: int = 100) -> Proposal:
    proposal = book.propose(total, lambda _: True)
    assert proposal is not None
    return proposal


def attributes(book: Ledger, number: int) -> dict[str, Any]:
    return book.trials()[number].user_attrs


def test_backbones_take_turns_while_trials_run() -> None:
    book = ledger(e5=[], minilm=[])
    assert [propose(book).backbone for _ in range(4)] == ["e5", "minilm", "e5", "minilm"]
    assert book.propose(4, lambda _: True) is None
    assert book.propose(9, lambda name: name == "minilm").backbone == "minilm"  # type: ignore[union-attr]


def test_a_twin_of_a_running_trial_waits_for_no_value() -> None:
    point = protocol_parameters(space())
    book = ledger(e5=[Point("protocol", point), Point("enqueued 1", point)])
    first = propose(book)
    second = propose(book)
    assert (first.trial.number, second.trial.number) == (0, 2)
    twin = book.trials()[1]
    assert twin.state == TrialState.FAIL
    assert twin.user_attrs["duplicate_of"] == 0
    assert book.planned() == 2


def test_a_trial_is_repeated_once() -> None:
    book = ledger()
    assert book.fail(propose(book).trial, "killed", "same")
    again = propose(book)
    assert again.trial.user_attrs["retry_of"] == 0
    assert book.settled() == 0
    assert not book.fail(again.trial, "killed again", "same")
    assert book.settled() == 1
    assert "queued_again" not in attributes(book, 1)


def test_an_interrupted_retry_stays_a_retry() -> None:
    book = ledger()
    book.fail(propose(book).trial, "diverged", "slower")
    retry = propose(book)
    book.fail(retry.trial, "interrupted", "continue")
    third = propose(book)
    assert third.trial.user_attrs["retry_of"] == 0
    assert third.trial.user_attrs["continues"] == 1
    assert third.learning_rate == retry.learning_rate
    assert not book.fail(third.trial, "diverged", "slower")


def test_half_the_rate_may_lie_below_the_range() -> None:
    low = protocol_parameters(space()) | {"e5.learning_rate": 1e-5}
    book = ledger(e5=[Point("enqueued 1", low)])
    book.fail(propose(book).trial, "diverged", "slower")
    assert propose(book).learning_rate == 5e-6


def test_fewer_trials_than_queued_start_nothing() -> None:
    book = ledger()
    book.fail(propose(book).trial, "interrupted", "continue")
    assert book.propose(0, lambda _: True) is None
    assert book.propose(1, lambda _: False) is None
    assert book.propose(1, lambda _: True) is not None


def test_trials_queued_by_hand_find_their_backbone() -> None:
    book = ledger(e5=[], minilm=[])
    book.study.enqueue_trial({"minilm.stages": 3})
    book.study.enqueue_trial({"gone.stages": 3})
    proposal = propose(book)
    assert proposal.backbone == "minilm"
    assert proposal.trial.params["minilm.stages"] == 3
    assert propose(book).trial.number > 1
    assert book.trials()[1].state == TrialState.PRUNED


def test_three_failures_without_a_success_leave_a_backbone_out() -> None:
    book = ledger(e5=[], minilm=[])
    for _ in range(6):
        proposal = propose(book)
        if proposal.backbone == "e5":
            book.fail(proposal.trial, "no weights")
    assert list(book.left_out) == ["e5"]
    assert {propose(book).backbone for _ in range(3)} == {"minilm"}


@pytest.mark.filterwarnings("error")
def test_opening_a_study_warns_of_nothing() -> None:
    study = open_study("quiet", "sqlite://", seed=1)
    assert isinstance(study.sampler, optuna.samplers.TPESampler)
    assert study.metric_names == ["jaccard"]
