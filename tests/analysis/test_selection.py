"""A selection is stored, and counts only for the candidates that it was made among."""

import json
import os
from dataclasses import replace

import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import candidate_seat, choose, selector, stored_selection
from autoqa.analysis.stored_predictions import ensemble_plan, load_part
from autoqa.errors import DataError, NothingFeasibleError
from autoqa.store.checksums import write_checksums


def test_a_selection_is_stored_and_read_again(finished: StudyRun) -> None:
    assert stored_selection(finished) is None
    selection = choose(finished)
    assert stored_selection(finished) == selection
    assert set(selection.considered) == {record.id for record in finished.candidates()}
    assert {seat.id for seat in selection.members} <= set(selection.considered)


def test_a_selection_among_other_candidates_does_not_count(finished: StudyRun) -> None:
    choose(finished)
    (finished.folder.candidate("t0004-100") / "candidate.json").unlink()
    assert stored_selection(finished) is None


def test_a_selection_older_than_a_candidate_does_not_count(finished: StudyRun) -> None:
    choose(finished)
    later = finished.folder.selection.stat().st_mtime + 10
    record = finished.folder.candidate("t0001-100") / "candidate.json"
    os.utime(record, (later, later))
    assert stored_selection(finished) is None


def test_a_damaged_selection_is_named_with_the_way_out(finished: StudyRun) -> None:
    finished.folder.selection.write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"selection\.json: .*`autoqa select` writes it anew"):
        stored_selection(finished)


def test_what_is_selected_is_scored_as_the_study_joins_it(finished: StudyRun) -> None:
    table = finished.study.selection.model_copy(update={"aggregator": "characters"})
    run = StudyRun(
        finished.study.model_copy(update={"selection": table}), finished.folder, finished.store
    )
    selection = choose(run)
    plan = ensemble_plan(run, selection.members, selection.tie_group)
    public = load_part(run, plan.members, "public").score(plan)
    assert public.score == pytest.approx(selection.public.mean)


def test_fewer_seats_than_the_study_says(finished: StudyRun) -> None:
    selection = choose(finished, selector(finished, seats=1))
    assert all(len(each.members) == 1 for each in selection.alternatives if each.allowed)
    assert len(selection.members) == 1


def test_one_recipe_of_two_backbones_makes_different_models(finished: StudyRun) -> None:
    backbones = {}
    for record in finished.candidates():
        backbones[record.id] = record.backbone
        same = replace(record, recipe_hash="0" * 12).as_json()
        folder = finished.folder.candidate(record.id)
        (folder / "candidate.json").write_text(json.dumps(same), encoding="utf-8")
        write_checksums(folder)
    table = finished.study.selection.model_copy(update={"seats": 4, "recipe_cap": 1})
    run = StudyRun(
        finished.study.model_copy(update={"selection": table}), finished.folder, finished.store
    )
    top = next(each for each in choose(run).alternatives if each.kind == "top-k")
    assert sorted(backbones[name] for name, _ in top.members) == ["lower", "plain"]


def test_one_candidate_takes_a_seat_by_its_id(finished: StudyRun) -> None:
    seat = candidate_seat(finished, "t0003-100")
    assert (seat.id, seat.weight) == ("t0003-100", 1.0)
    assert seat.group == finished.folder.read_record("t0003-100").group
    with pytest.raises(NothingFeasibleError, match="no such candidate; did you mean 't0003-100'"):
        candidate_seat(finished, "t003-100")
