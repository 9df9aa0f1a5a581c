"""``autoqa reveal``: the sealed part is opened on purpose, and every opening counts."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from autoqa.bundle.verify import verify
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests.conftest import Run
from tests.store.damage import without_sums


def openings(toy: RunFolder) -> list[tuple[str, str]]:
    with Store(toy.store_url(), "toy") as store:
        return [(row.purpose, row.reason) for row in store.openings()]


def shown(run: Run, reason: str = "a test") -> dict[str, Any]:
    code, out, _ = run("reveal", "toy", "--reason", reason, "--json")
    assert code == 0
    content: dict[str, Any] = json.loads(out)
    return content


def test_shows_public_beside_private_ranks_and_writes_the_opening_down(
    toy: RunFolder, run: Run
) -> None:
    found = shown(run, "how far does the ranking hold?")
    assert openings(toy) == [("reveal", "how far does the ranking hold?")]
    rows = found["candidates"]
    assert {row["id"] for row in rows} == set(toy.candidate_ids())
    private = [row["private"]["mean"] for row in rows]
    assert private == sorted(private, reverse=True)
    assert sorted(row["private_rank"] for row in rows) == [row["private_rank"] for row in rows]
    for row in rows:
        assert row["public"] == pytest.approx(toy.read_record(row["id"]).score, abs=1e-9)
        assert row["private"]["low"] <= row["private"]["mean"] <= row["private"]["high"]
    assert found["agreement"]["pairs"] == 4
    assert (found["opening"], found["before"]) == (1, [])


def test_text_says_who_moved_and_what_the_ensemble_gains(toy: RunFolder, run: Run) -> None:
    found = shown(run)
    code, out, err = run("reveal", "toy", "--reason", "again")
    assert code == 0
    assert f"{'→'} " in out
    for row in found["candidates"]:
        (line,) = [each for each in out.splitlines() if f" {row['id']} " in each]
        assert f"{row['private']['mean']:.3f}" in line
        moved = row["public_rank"] - row["private_rank"]
        assert not moved or line.rstrip().endswith(f"{moved:+g}")
    assert "Ranks on the two parts correlate by" in out
    members = ", ".join(found["ensemble"]["members"])
    assert f"The selection ({members}): public" in out
    if found["gain"] is not None:
        assert f"{found['gain']['gain']:+.3f}" in out
    assert "This is opening 2; the last one was on" in err
    assert "(a test)" in err


def test_an_export_afterwards_does_not_open_again(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    found = shown(run)
    code, _, err = run("export", "toy", "--to", tmp_path / "bundle")
    assert code == 0
    assert "nothing was opened" in err
    assert openings(toy) == [("reveal", "a test")]
    manifest = verify(tmp_path / "bundle")
    assert manifest.private.model_dump() == found["ensemble"]["private"]
    assert manifest.openings == 1


def test_a_second_export_of_the_same_ensemble_keeps_the_score(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    run("export", "toy", "--to", tmp_path / "one")
    code, _, err = run("export", "toy", "--to", tmp_path / "two")
    assert code == 0
    assert "nothing was opened" in err
    assert len(openings(toy)) == 1
    first, second = verify(tmp_path / "one"), verify(tmp_path / "two")
    assert (first.private, first.openings) == (second.private, second.openings)


def test_other_predictions_under_the_same_id_are_another_ensemble(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    run("export", "toy", "--to", tmp_path / "one", "--candidate", "t0001-100")
    run("export", "toy", "--to", tmp_path / "two", "--candidate", "t0001-100")
    assert len(openings(toy)) == 1
    without_sums(toy.candidate("t0001-100"))
    other = toy.logits_path("t0002-100", "private")
    shutil.copyfile(other, toy.logits_path("t0001-100", "private"))
    run("export", "toy", "--to", tmp_path / "three", "--candidate", "t0001-100")
    assert len(openings(toy)) == 2


def test_nothing_is_opened_without_a_reason_or_with_a_file_missing(
    toy: RunFolder, run: Run
) -> None:
    assert run("reveal", "toy")[0] == 2
    code, out, err = run("reveal", "toy", "--reason", " ")
    assert (code, out) == (2, "")
    assert "--reason is empty" in err
    without_sums(toy.candidate("t0002-100"))
    toy.logits_path("t0002-100", "private").unlink()
    code, out, err = run("reveal", "toy", "--reason", "a test")
    assert (code, out) == (2, "")
    assert "cannot read the predictions of candidate t0002-100" in err
    assert openings(toy) == []


def test_without_candidates_nothing_is_feasible(toy: RunFolder, run: Run) -> None:
    shutil.rmtree(toy.candidates)
    code, _, err = run("reveal", "toy", "--reason", "a test")
    assert code == 5
    assert "no candidate" in err
    assert openings(toy) == []
