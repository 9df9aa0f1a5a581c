"""What a search does for one more trial does not depend on how many there were."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from sqlalchemy import event
from sqlalchemy.engine import Engine

from autoqa.proposals.shown_trials import BEST, chosen
from autoqa.searching import retention
from autoqa.searching.retention import Retention
from autoqa.store import candidate_rows
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials
from tests.proposals.test_space import space
from tests.store.test_study_tables import RECORD, with_jaccard

RATE = space(
    stages={"low": 1, "high": 1}, length=None, augmentations=[], portions=[{"source": "squad"}]
)


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts statements, and how often a trial's attributes, a row and a size are read."""
    counts: Counter[str] = Counter()

    def count(name: str, work: Any) -> Any:
        def counted(*arguments: Any) -> Any:
            counts[name] += 1
            return work(*arguments)

        return counted

    def executed(*_: object) -> None:
        counts["statements"] += 1

    attributes, row, size = TrialAttributes.of, candidate_rows._record, retention.weights_size
    with monkeypatch.context() as patch:
        patch.setattr(TrialAttributes, "of", staticmethod(count("attributes", attributes)))
        patch.setattr(candidate_rows, "_record", count("rows", row))
        patch.setattr(retention, "weights_size", count("sizes", size))
        event.listen(Engine, "before_cursor_execute", executed)
        try:
            yield counts
        finally:
            event.remove(Engine, "before_cursor_execute", executed)


def add_finished(study: optuna.Study, numbers: range) -> None:
    """Adds trials that were trained to their end."""
    (name, distribution), *_ = RATE.distributions().items()
    for number in numbers:
        attributes = TrialAttributes(backbone="e5", origin="sampler", run=f"r{number}")
        study.add_trial(
            create_trial(
                params={name: 3e-5 * (1 + number / 1000)},
                distributions={name: distribution},
                value=number % 7 / 10,
                user_attrs=attributes.as_dict(),
            )
        )


def search_on(trials: Trials) -> None:
    """Proposes a trial, ends it, and asks what the loop asks."""
    proposal = trials.propose(10_000, lambda _: True)
    assert proposal is not None
    record = with_jaccard(0.4, recipe=proposal.run.recipe.to_dict())
    trials.finish(proposal.trial, [record], 1.0)
    assert trials.settled() == len(trials.tally.complete) == proposal.trial.number + 1
    assert trials.tally.usual("e5", "windows_per_second") == record.windows_per_second


def test_proposals_read_no_trial_again(monkeypatch: pytest.MonkeyPatch) -> None:
    study = open_study("small", "sqlite://", seed=0)
    trials = Trials(study, {"e5": RATE}, {"e5": []}, 0, "v1", note=lambda _: None)
    seen = []
    for size in (50, 300):
        add_finished(study, range(len(trials.in_states()), size))
        search_on(trials)
        with counting(monkeypatch) as counts:
            for _ in range(3):
                search_on(trials)
        seen.append(dict(counts))
    assert seen[0] == seen[1]
    assert seen[0]["statements"] > 20
    assert 0 < seen[0]["attributes"] < 50


def test_candidates_and_their_weights_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()

    def add(store: Store, number: int) -> None:
        name = f"t{number:04d}-100"
        folder.model(name).mkdir(parents=True)
        (folder.model(name) / WEIGHTS).write_bytes(b"x" * 100)
        store.add_candidate(with_jaccard(0.5, id=name, trial=number))

    with Store(folder.store_url(), "study") as store:
        keep = Retention(folder, store, 1.0)
        seen = []
        for numbers in (range(20), range(21, 80)):
            for number in numbers:
                add(store, number)
            assert len(store.candidates()) == numbers.stop
            assert keep() == []
            with counting(monkeypatch) as counts:
                add(store, numbers.stop)
                assert len(store.candidates()) == numbers.stop + 1
                assert keep() == []
            seen.append(dict(counts))
    assert seen[0] == seen[1]
    assert seen[0]["rows"] == seen[0]["sizes"] == 1


def test_a_candidate_that_another_process_made_anew_is_read_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with Store(url, "study") as store, Store(url, "study") as other:
        store.add_candidate(with_jaccard(0.5, id="soup-e5-abcdef"))
        assert [each.score for each in store.candidates()] == [0.5]
        other.remove_candidate("soup-e5-abcdef")
        assert store.candidates() == []
        again = with_jaccard(0.7, id="soup-e5-abcdef", inference_seconds=RECORD.seconds + 1)
        other.add_candidate(again)
        other.add_candidate(with_jaccard(0.6, id="t0001-100"))
        assert [each.score for each in store.candidates()] == [0.7, 0.6]


def test_a_sampler_sees_the_best_and_the_latest() -> None:
    def ended(number: int, state: TrialState, value: float | None = None) -> Any:
        made = create_trial(state=state, value=value)
        made.number = number
        return made

    trials = [
        ended(number, TrialState.FAIL)
        if number % 10 == 9
        else ended(number, TrialState.COMPLETE, 1 - number / 1000)
        for number in range(400)
    ]
    trials += [ended(400, TrialState.PRUNED), ended(401, TrialState.RUNNING)]
    seen = chosen(trials, 100)
    over = [each for each in seen if each.state.is_finished()]
    assert len(over) == 100
    assert not [each for each in over if each.state == TrialState.FAIL]
    complete = [each.number for each in trials if each.state == TrialState.COMPLETE]
    assert [each.number for each in seen[:BEST]] == complete[:BEST]
    assert [each.number for each in seen[-2:]] == [400, 401]
    assert [each.number for each in seen[BEST:-2]] == complete[-74:]
    assert chosen(trials, 500) == trials
