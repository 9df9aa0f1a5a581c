"""What a bundle will hold is taken from the run folder: scores, members, groups, licences."""

from pathlib import Path

import pytest

from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.selection import candidate_seat
from autoqa.errors import DataError
from autoqa.export.assemble import assemble
from tests import bundle_kit
from tests.store.damage import without_sums

NAMES = ("t0001-100", "t0002-100", "t0003-100")


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path)
    return open_run("toy")


def test_members_groups_and_scores_are_those_of_the_run(finished: StudyRun) -> None:
    seats = [candidate_seat(finished, name) for name in NAMES]
    plan = assemble(finished, seats, seats[0].group, reason="a test")
    assert [member.id for member in plan.members] == list(NAMES)
    assert [member.precision for member in plan.members] == ["fp32"] * 3
    assert [(group.length, group.stride) for group in plan.groups] == [
        (bundle_kit.LENGTH, bundle_kit.STRIDE)
    ] * 2
    assert {group.id for group in plan.groups} == {seat.group for seat in seats}
    for member in plan.members:
        record = finished.folder.read_record(member.id)
        assert member.public.score == pytest.approx(record.score, abs=1e-6)
        assert plan.models[member.id] == finished.folder.model(member.id)
        assert member.card
    assert (plan.public.questions, plan.private.questions) == (16, 24)
    assert plan.data == {"toy": "unknown"}


def test_the_private_part_is_opened_once_for_an_ensemble(finished: StudyRun) -> None:
    seat = candidate_seat(finished, NAMES[0])
    first = assemble(finished, [seat], seat.group, reason="first")
    again = assemble(finished, [seat], seat.group, reason="again")
    assert (first.opened, first.openings) == (True, 1)
    assert (again.opened, again.openings) == (False, 1)
    assert again.private == first.private


def test_a_recipe_of_another_version_is_refused(finished: StudyRun) -> None:
    seat = candidate_seat(finished, NAMES[0])
    path = finished.folder.candidate(NAMES[0]) / "candidate.json"
    without_sums(path.parent)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"portions"', '"parts"'), encoding="utf-8")
    with pytest.raises(DataError, match="its recipe is of another version of autoqa"):
        assemble(finished, [seat], seat.group, reason="a test")
