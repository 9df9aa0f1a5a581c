"""An ensemble's private score is that of one opening, however often it is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.private_scores import ensemble_key, private_digest, private_score
from autoqa.analysis.selection import candidate_seat
from autoqa.analysis.stored_predictions import ensemble_plan
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import DataError
from autoqa.features.files import load_windows, save_windows
from autoqa.store.run_folder import PARTS


def plan_of(run: StudyRun, *names: str) -> EnsemblePlan:
    seats = [candidate_seat(run, name) for name in names]
    return ensemble_plan(run, seats, seats[0].group)


def test_a_score_is_shown_by_one_opening_and_stored(finished: StudyRun) -> None:
    plan = plan_of(finished, "t0001-100", "t0003-100")
    first = private_score(finished, plan, reason="a test")
    again = private_score(finished, plan, reason="another")
    assert (first.opening, first.fresh) == (1, True)
    assert again == replace(first, fresh=False)
    assert first.score.questions == 24
    assert [row.reason for row in finished.store.openings()] == ["a test"]


def test_another_ensemble_opens_again(finished: StudyRun) -> None:
    private_score(finished, plan_of(finished, "t0001-100"), reason="first")
    second = private_score(finished, plan_of(finished, "t0002-100"), reason="second")
    assert (second.opening, second.fresh) == (2, True)


@pytest.mark.parametrize(
    "change",
    [
        {"aggregator": "characters"},
        {"words": "position"},
        {"rules": {"hi": ("punctuation",)}},
    ],
)
def test_the_key_depends_on_how_members_are_joined(
    finished: StudyRun, change: dict[str, object]
) -> None:
    plan = plan_of(finished, "t0001-100")
    assert ensemble_key(finished, plan) == ensemble_key(finished, replace(plan))
    changed = replace(plan, **change)  # type: ignore[arg-type]
    assert ensemble_key(finished, plan) != ensemble_key(finished, changed)


def test_the_key_depends_on_how_long_answers_may_be(finished: StudyRun) -> None:
    plan = plan_of(finished, "t0001-100")
    before = ensemble_key(finished, plan)
    for part in PARTS:
        path = finished.folder.windows_path(plan.tie_group, part)
        save_windows(path, replace(load_windows(path), max_answer_tokens=20))
    assert ensemble_key(finished, plan) != before


def test_the_key_depends_on_the_bytes_of_the_predictions(finished: StudyRun) -> None:
    plan = plan_of(finished, "t0001-100")
    before = ensemble_key(finished, plan)
    path = finished.folder.logits_path("t0001-100", "private")
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    assert ensemble_key(finished, plan) != before


def test_missing_predictions_are_named_and_nothing_is_opened(finished: StudyRun) -> None:
    plan = plan_of(finished, "t0001-100")
    finished.folder.logits_path("t0001-100", "private").unlink()
    with pytest.raises(DataError, match="cannot read the predictions of candidate t0001-100"):
        private_score(finished, plan, reason="a test")
    assert not finished.store.openings()


def test_a_digest_tells_candidates_apart(finished: StudyRun) -> None:
    digests = [private_digest(finished, f"t000{number}-100") for number in (1, 2, 3, 4)]
    assert len(np.unique(digests)) == 4
