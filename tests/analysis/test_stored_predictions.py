"""Stored predictions are joined and scored as the search scored them."""

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import candidate_seat
from autoqa.analysis.stored_predictions import candidate_scores, ensemble_plan, load_part
from autoqa.errors import ConfigError

NAMES = ("t0001-100", "t0002-100", "t0003-100")


def test_a_candidate_alone_scores_as_in_its_record(finished: StudyRun) -> None:
    for name in NAMES:
        seat = candidate_seat(finished, name)
        plan = ensemble_plan(finished, [seat], seat.group)
        entry = load_part(finished, plan.members, "public").score(plan)
        assert entry.score == pytest.approx(finished.folder.read_record(name).score, abs=1e-6)
        assert entry.questions == 16


def test_a_part_holds_the_windows_of_its_members_groups_alone(finished: StudyRun) -> None:
    seats = [candidate_seat(finished, name) for name in NAMES[:2]]
    plan = ensemble_plan(finished, seats, seats[0].group)
    part = load_part(finished, plan.members, "public")
    assert set(part.windows) == {seats[0].group}
    assert set(part.logits) == set(NAMES[:2])
    assert len(part.spans(plan)) == len(part.examples)


def test_the_private_part_needs_an_opening(finished: StudyRun) -> None:
    seat = candidate_seat(finished, NAMES[0])
    plan = ensemble_plan(finished, [seat], seat.group)
    with pytest.raises(ConfigError, match="private"):
        load_part(finished, plan.members, "private")
    opening = finished.store.log_opening("a test")
    assert len(load_part(finished, plan.members, "private", opening).examples) == 24


def test_a_plan_joins_as_the_study_says(finished: StudyRun) -> None:
    seats = [candidate_seat(finished, name) for name in NAMES]
    plan = ensemble_plan(finished, seats, seats[2].group, {"hi": ("punctuation",)})
    table = finished.study.selection
    assert (plan.aggregator, plan.words) == (table.aggregator, table.words)
    assert plan.tie_group == seats[2].group
    assert [member.id for member in plan.members] == list(NAMES)
    assert plan.rules == {"hi": ("punctuation",)}


def test_scores_of_candidates_are_one_row_each(finished: StudyRun) -> None:
    examples = finished.folder.load_examples("public")
    records = [finished.folder.read_record(name) for name in NAMES]
    scores = candidate_scores(finished, records, examples, "public")
    assert scores.shape == (3, 16)
    means = [record.score for record in records]
    np.testing.assert_allclose(scores.mean(axis=1), means, atol=1e-9)
    assert candidate_scores(finished, [], examples, "public").shape == (0, 16)
