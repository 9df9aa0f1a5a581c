"""Opening the private part: every candidate is ranked again, and the opening is written down."""

import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.reveal import open_private_part
from autoqa.analysis.selection import stored_selection
from autoqa.errors import ConfigError, DataError
from tests.store.damage import without_sums


def test_public_and_private_ranks_stand_side_by_side(finished: StudyRun) -> None:
    opened = open_private_part(finished, "how far does the ranking hold?")
    assert (opened.opening, list(opened.earlier)) == (1, [])
    assert {candidate.id for candidate in opened.candidates} == set(finished.folder.candidate_ids())
    means = [candidate.private.mean for candidate in opened.candidates]
    assert means == sorted(means, reverse=True)
    assert sum(c.public_rank for c in opened.candidates) == pytest.approx(10)
    assert sum(c.private_rank for c in opened.candidates) == pytest.approx(10)
    assert opened.agreement is not None
    assert opened.agreement.pairs == 4


def test_the_selection_is_made_where_there_is_none(finished: StudyRun) -> None:
    opened = open_private_part(finished, "a test")
    selection = stored_selection(finished)
    assert selection is not None
    assert opened.members == tuple(seat.id for seat in selection.members)
    assert opened.public.score == pytest.approx(selection.public.mean)
    assert (opened.gain is None) == (opened.members == (opened.best,))


def test_the_second_opening_knows_the_first(finished: StudyRun) -> None:
    first = open_private_part(finished, "first")
    second = open_private_part(finished, "second")
    assert second.opening == 2
    assert [(row.purpose, row.reason) for row in second.earlier] == [("reveal", "first")]
    assert second.private == first.private


def test_a_reason_is_needed(finished: StudyRun) -> None:
    with pytest.raises(ConfigError, match="--reason is empty"):
        open_private_part(finished, " ")


def test_missing_predictions_of_any_candidate_open_nothing(finished: StudyRun) -> None:
    without_sums(finished.folder.candidate("t0004-100"))
    finished.folder.logits_path("t0004-100", "private").unlink()
    with pytest.raises(DataError, match="t0004-100"):
        open_private_part(finished, "a test")
    assert not finished.store.openings()
