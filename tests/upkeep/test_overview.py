"""What a study has to show is gathered, and what is missing is said; nothing is changed."""

import hashlib
from pathlib import Path

import pytest

from autoqa.analysis.finished_run import open_run
from autoqa.analysis.reveal import open_private_part
from autoqa.store.run_folder import RunFolder
from autoqa.upkeep.overview import study_overview
from autoqa.upkeep.study_place import find_study
from tests import report_kit


def state(folder: Path) -> dict[str, str]:
    """Digest of every file but those that SQLite keeps beside an open database."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_everything_is_gathered_and_nothing_changed(made: Path) -> None:
    before = state(made)
    found = study_overview(find_study("made"))
    assert state(made) == before
    assert found.problem is None
    assert found.missing == []
    assert found.board is not None
    assert len(found.board.ranked) == len(found.rungs) == 24
    assert found.effects is not None
    assert found.effects.runs == 12
    assert found.selection is not None
    assert found.answers is not None
    assert found.answers.members == tuple(seat.id for seat in found.selection.members)
    assert len(found.answers.traces) == 56
    assert not found.openings
    assert found.revealed is None
    assert len(found.costs) == 13
    assert sum(each.hours for each in found.costs) == pytest.approx(
        sum(6 + number % 5 for number in range(12)) / 60, abs=1e-3
    )
    assert [each.failure for each in found.costs if each.failure] == [
        "the loss is not finite at step 7"
    ]


def test_without_a_selection_the_best_is_shown_alone(made: Path) -> None:
    (made / "selection.json").unlink()
    found = study_overview(find_study("made"))
    assert found.problem is None
    assert "No ensemble has been chosen" in found.missing[0]
    assert found.board is not None
    assert found.board.best is not None
    assert [seat.id for seat in found.shown] == [found.board.best.id]
    assert found.answers is not None
    assert found.answers.members == (found.board.best.id,)


def test_scores_that_an_opening_showed_are_shown_and_no_others(made: Path) -> None:
    run = open_run("made")
    with run.store:
        opened = open_private_part(run, "a test")
        count = len(run.store.openings())
    found = study_overview(find_study("made"))
    assert len(found.openings) == count == 1
    assert found.revealed is not None
    assert found.revealed.ensemble is not None
    assert found.revealed.ensemble.mean == pytest.approx(opened.private.score)
    shown = {row.id: row.private for row in opened.candidates}
    assert found.revealed.candidates == shown


def test_an_empty_study_says_how_to_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoqa.store.study_tables import Store

    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    folder = RunFolder(tmp_path / "empty")
    folder.create()
    text = report_kit.STUDY.format(name="empty", trials=3)
    folder.study_file.write_text(text)
    with Store(folder.store_url(), "empty") as store:
        store.save_study(text)
    found = study_overview(find_study("empty"))
    assert found.problem is None
    assert found.board is None
    assert found.missing == [
        "There is no candidate yet: `autoqa search` trains some, `autoqa status empty` says how "
        "far it is."
    ]


def test_a_damaged_candidate_is_left_out_and_named(made: Path) -> None:
    logits = made / "candidates" / "t0000-100" / "public.safetensors"
    logits.write_bytes(logits.read_bytes()[:-3])
    found = study_overview(find_study("made"))
    assert any("candidate t0000-100 is left out" in line for line in found.missing)
    assert found.board is not None
    assert "t0000-100" not in {record.id for record in found.board.compared}
    assert found.answers is not None


def test_damaged_questions_leave_the_rest(made: Path) -> None:
    questions = made / "validation" / "public.jsonl"
    questions.write_bytes(questions.read_bytes()[:-9])
    found = study_overview(find_study("made"))
    assert found.problem is not None
    assert found.problem.exit_code == 2
    assert found.board is not None
    assert found.board.best is None
    assert len(found.board.ranked) == 24
    assert len(found.costs) == 13


def test_a_damaged_database_leaves_what_is_on_disk(made: Path) -> None:
    report_kit.damage_database(made)
    found = study_overview(find_study("made"))
    assert found.problem is not None
    assert found.status.candidates == 24
    assert found.study is not None
    assert found.study.name == "made"
    assert found.board is not None
    scores = [record.score for record in found.board.ranked]
    assert len(scores) == 24
    assert scores == sorted(scores, reverse=True)
    assert any(line.startswith("The database: ") for line in found.missing)


def test_a_study_whose_folder_is_elsewhere_shows_what_its_database_knows(made: Path) -> None:
    url = f"sqlite:///{made / 'study.db'}"
    (made / "study.toml").rename(made / "elsewhere")
    found = study_overview(find_study("made", url))
    assert found.problem is None
    assert found.missing == ["The run folder is not on this machine, and so no predictions."]
    assert found.board is not None
    assert len(found.board.ranked) == 24
    assert len(found.costs) == 13
    assert found.answers is None
