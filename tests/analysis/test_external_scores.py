"""Scores from other leaderboards are written down with the public score that they belong to."""

from datetime import UTC, datetime

import pytest

from autoqa.analysis.external_scores import add_external, predictions
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import choose
from autoqa.errors import ConfigError
from autoqa.scores.correlation import FEWEST
from autoqa.store.external_scores import ExternalScore


def external(subject: str, board: str, score: float, public: float) -> ExternalScore:
    return ExternalScore(
        subject=subject,
        board=board,
        score=score,
        public=public,
        note="",
        added=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_candidate_brings_its_public_score(finished: StudyRun) -> None:
    subject, public = add_external(finished, "t0002-100", 0.5, " kaggle-public ", "a note")
    assert subject == "t0002-100"
    assert public == pytest.approx(finished.folder.read_record("t0002-100").score)
    (row,) = finished.store.externals()
    assert (row.subject, row.board, row.score, row.note) == (
        "t0002-100",
        "kaggle-public",
        0.5,
        "a note",
    )


def test_a_selection_is_named_by_its_members_and_weights(finished: StudyRun) -> None:
    with pytest.raises(ConfigError, match="has no selection of its present candidates"):
        add_external(finished, "selection", 0.5, "board", "")
    selection = choose(finished)
    subject, public = add_external(finished, "selection", 0.5, "board", "")
    assert all(seat.id in subject for seat in selection.members)
    assert subject.count(" + ") == len(selection.members) - 1
    assert public == pytest.approx(selection.public.mean)


@pytest.mark.parametrize(
    "subject, score, board, sentence",
    [
        ("t0001-100", 71.5, "board", "SCORE 71.5: .*: write 0.715"),
        ("t0001-100", -0.1, "board", "SCORE -0.1"),
        ("t0001-100", float("nan"), "board", "SCORE nan"),
        ("t0001-100", 0.5, " ", "--board is empty"),
        ("t001-100", 0.5, "board", "did you mean 't0001-100'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    finished: StudyRun, subject: str, score: float, board: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        add_external(finished, subject, score, board, "")
    assert not finished.store.externals()


def test_a_board_is_predicted_from_enough_different_subjects_on() -> None:
    rows = [external(f"t{i}", "a", 0.5 + i / 100, 0.4 + i / 100) for i in range(FEWEST)]
    repeated = [external("t0", "b", 0.5, 0.4)] * FEWEST
    result = predictions([*rows, *repeated])
    assert list(result) == ["a"]
    assert result["a"].pairs == FEWEST
    assert result["a"].offset.mean == pytest.approx(0.1)


def test_the_last_score_of_a_subject_counts() -> None:
    rows = [external(f"t{i}", "a", 0.5 + i / 100, 0.4 + i / 100) for i in range(FEWEST)]
    corrected = external("t0", "a", 0.9, 0.4)
    offset = predictions([*rows, corrected])["a"].offset.mean
    assert offset == pytest.approx((0.1 * (FEWEST - 1) + 0.5) / FEWEST)
