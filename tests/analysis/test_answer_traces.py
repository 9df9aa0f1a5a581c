"""What was answered, what is wrong with it, and how the vote came to it."""

import numpy as np
import pytest

from autoqa.analysis.answer_traces import error_kind, kinds_of, trace_answers
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import ensemble_plan, load_part
from autoqa.ensemble.choosing.selection import Seat
from autoqa.scores.metrics import score_by
from autoqa.types import Answer


@pytest.mark.parametrize(
    "answer, references, kind",
    [
        ("the old town", ["the old town"], "right"),
        ("the old town hall", ["the old town"], "too long"),
        ("old town", ["the old town"], "too short"),
        ("old city", ["the old town"], "partly right"),
        ("a river", ["the old town"], "elsewhere"),
        ("", ["the old town"], "none given"),
        ("a river", [], "none wanted"),
        ("", [], "right"),
        ("town hall", ["a river", "town"], "too long"),
    ],
)
def test_what_is_wrong_is_told_by_words(answer: str, references: list[str], kind: str) -> None:
    golds = [Answer(text, 0) for text in references]
    score = 1.0 if answer in references or not (answer or references) else 0.3
    assert error_kind(answer, golds, score, "words") == kind


def test_words_of_languages_without_spaces_are_characters_where_the_metric_says_so() -> None:
    gold = [Answer("東京", 0)]
    assert error_kind("東京都", gold, 0.8, "mixed") == "too long"
    assert error_kind("東京都", gold, 0.0, "words") == "elsewhere"


def test_answers_and_votes_are_those_of_the_ensemble(finished: StudyRun) -> None:
    records = {record.id: record for record in finished.candidates()}
    seats = [Seat(name, each.group, 1.0, "") for name, each in sorted(records.items())]
    plan = ensemble_plan(finished, seats, seats[0].group)
    found = trace_answers(finished, plan)
    part = load_part(finished, plan.members, "public")
    spans = part.spans(plan)
    assert [trace.answer for trace in found.traces] == spans
    scores = score_by("jaccard", [span.text for span in spans], part.examples)
    np.testing.assert_allclose([trace.score for trace in found.traces], scores)
    assert sum(kinds_of(found).values()) == len(part.examples)
    assert found.members == tuple(sorted(records))
    groups = {seat.group for seat in seats}
    assert len(found.voters) == len(groups) == 2
    assert sorted(name for voter in found.voters for name in voter) == sorted(records)
    disputed = [trace for trace in found.traces if trace.votes]
    assert disputed, "toy models disagree"
    for trace in disputed:
        kept = {votes.word for votes in trace.votes if votes.kept}
        if kept:  # else the leader's answer stands
            assert kept == set(trace.answer.text.lower().split())
    assert all(row[place] == 0 for place, row in enumerate(found.disagreement))


def test_one_model_votes_alone(finished: StudyRun) -> None:
    record = finished.candidates()[0]
    plan = ensemble_plan(finished, [Seat(record.id, record.group, 1.0, "")], record.group)
    found = trace_answers(finished, plan)
    assert found.members == (record.id,)
    assert not any(trace.votes for trace in found.traces)
    assert all(trace.members == (trace.answer,) for trace in found.traces)
