import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from autoqa.analysis.finished_run import open_run
from autoqa.analysis.selection import choose, selector
from autoqa.cli.leaderboard import leaderboard
from autoqa.cli.main import main
from autoqa.errors import ConfigError
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests import bundle_kit
from tests.searching import fakes
from tests.store.test_study_tables import RECORD, with_jaccard


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    folder = fakes.run_folder()
    folder.create()
    folder.study_file.write_text(fakes.STUDY)
    folder.save_examples("public", [fakes.example(n) for n in range(12)])
    with Store(folder.store_url(), "small") as store:
        store.add_candidate(RECORD)
        better = with_jaccard(0.7, id="t0007-50", half_width=None)
        store.add_candidate(replace(better, by_language={"ta": 0.7}))
    return tmp_path


def test_best_first_with_intervals_and_the_number_of_questions(run: Path) -> None:
    result = CliRunner().invoke(leaderboard, ["small"], catch_exceptions=False)
    lines = [line.split() for line in result.stdout.splitlines() if line.strip()]
    assert lines[0] == [
        *["#", "candidate", "backbone", "jaccard", "±", "em", "f1", "hi", "ta"],
        *["gain", "P(better)", "win/s", "recipe"],
    ]
    assert lines[2] == [
        *["1", "t0007-50", "e5", "0.700", "–", "0.400", "0.600", "–", "0.700"],
        *["–", "–", "32", "0123456789ab"],
    ]
    assert lines[3] == [
        *["2", "t0003-100", "e5", "0.500", "0.040", "0.400", "0.600", "0.500", "–"],
        *["–", "–", "32", "0123456789ab"],
    ]
    assert (
        "2 candidates of study small, scored on 12 public questions about 12 documents; the "
        "private part was opened 0 times.\n"
        "Without predictions on this machine, and not compared: 2.\n"
    ) in result.stdout


def test_json_and_a_study_file_as_the_name(run: Path) -> None:
    file = run / "study.toml"
    file.write_text(fakes.STUDY)
    result = CliRunner().invoke(leaderboard, [str(file), "--json"], catch_exceptions=False)
    shown = json.loads(result.stdout)
    assert [row["id"] for row in shown["candidates"]] == ["t0007-50", "t0003-100"]
    assert (shown["public_questions"], shown["private_openings"]) == (12, 0)
    assert shown["public_reads"] == {"candidates": 2, "total": 2}
    assert (shown["best"], shown["validation"]) == (None, None)


def test_an_unknown_study_is_answered_with_those_there_are(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"'smal'.*no study of that name.*did you mean 'small'"):
        CliRunner().invoke(leaderboard, ["smal"], catch_exceptions=False)


# -- with stored predictions ---------------------------------------------------------------------


def command(*arguments: object) -> Result:
    given = [str(each) for each in arguments]
    return CliRunner().invoke(leaderboard, given, catch_exceptions=False)


def as_json(*arguments: object) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(command(*arguments, "--json").stdout)
    return content


def test_the_best_is_marked_and_compared_and_its_score_accounts_for_the_reads(
    toy: RunFolder,
) -> None:
    shown = as_json("toy")
    best = shown["best"]
    assert [row["rank"] for row in shown["candidates"]] == [1, 2, 3, 4]
    assert [row["id"] for row in shown["candidates"] if row["best"]] == [best["id"]]
    for row in shown["candidates"]:
        rival = row["against_best"]
        if row["best"]:
            assert rival is None
            assert row["jaccard"] == pytest.approx(best["public"])
        else:
            assert rival["gain"] == pytest.approx(row["jaccard"] - best["public"], abs=1e-9)
            assert rival["low"] <= rival["gain"] <= rival["high"]
            assert 0 <= rival["p_better"] <= 1
    assert best["reads"] == shown["public_reads"]["total"] == 4
    assert best["low"] <= best["score"] <= best["public"]
    text = command("toy").stdout
    (marked,) = [line for line in text.splitlines() if line.startswith(" →")]
    assert best["id"] in marked
    assert f"Best by the ladder: {best['id']}, {best['public']:.3f} on the public part." in text
    assert (
        f"After 4 reads (4 candidates) this is worth {best['score']:.3f} ± {best['half_width']:.3f}"
    ) in text


def test_selections_and_comparisons_are_reads_that_widen_the_interval(toy: RunFolder) -> None:
    before = as_json("toy")["best"]
    with Store(toy.store_url(), "toy") as store:
        for _ in range(2):  # made again, it tells nothing new
            store.add_selection({"alternatives": [{"kind": kind} for kind in "abcd"]})
    first = command("toy", "--compare", "t0001-100", "t0002-100").stdout
    assert command("toy", "--compare", "t0001-100", "t0002-100").stdout == first
    assert "on 16 public questions about 8 documents" in first
    shown = as_json("toy")
    assert shown["public_reads"] == {
        **{"candidates": 4, "ensembles": 4, "comparisons": 1},
        "total": 9,
    }
    assert shown["best"]["half_width"] > before["half_width"]
    assert "(4 candidates, 4 ensembles, 1 comparison)" in command("toy").stdout


def test_a_comparison_is_the_paired_bootstrap_of_the_stored_predictions(toy: RunFolder) -> None:
    found = as_json("toy", "--compare", "t0001-100", "t0002-100")
    records = {name: toy.read_record(name).score for name in ("t0001-100", "t0002-100")}
    assert found["gain"] == pytest.approx(records["t0001-100"] - records["t0002-100"], abs=1e-9)
    turned = as_json("toy", "--compare", "t0002-100", "t0001-100")
    assert turned["low"] == pytest.approx(-found["high"])
    assert turned["p_better"] == pytest.approx(1 - found["p_better"])
    assert (found["questions"], found["documents"]) == (16, 8)


@pytest.mark.parametrize(
    "names, expected",
    [
        (("t0001-100", "t0001-10"), r"compare 't0001-10': .*did you mean 't0001-100'"),
        (("t0001-100", "t0001-100"), "give two different candidates"),
    ],
)
def test_comparisons_that_cannot_be_made(
    toy: RunFolder, names: tuple[str, str], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        command("toy", "--compare", *names)
    assert "comparisons" not in as_json("toy")["public_reads"]


def test_a_candidate_of_another_machine_is_shown_and_not_compared(toy: RunFolder) -> None:
    shutil.rmtree(toy.candidate("t0003-100"))
    shown = as_json("toy")
    assert {row["id"] for row in shown["candidates"] if not row["against_best"]} == {
        "t0003-100",
        shown["best"]["id"],
    }
    assert "Without predictions on this machine, and not compared: 1." in command("toy").stdout
    with pytest.raises(ConfigError, match="its predictions are not in"):
        command("toy", "--compare", "t0001-100", "t0003-100")


# -- scores from outside -------------------------------------------------------------------------


def add(what: object, score: float, board: str = "kaggle-public") -> Result:
    return command("add-external", "toy", what, score, "--board", board)


def test_scores_from_outside_stand_in_the_table(toy: RunFolder) -> None:
    own = toy.read_record("t0001-100").score
    said = add("t0001-100", 0.787).stdout
    assert said == f"t0001-100: 0.787 on kaggle-public, {own:.3f} on the own public part\n"
    text = command("show", "toy").stdout
    row = next(line for line in text.splitlines() if "t0001-100" in line)
    assert "0.787" in row
    assert "kaggle-public" in text.splitlines()[1]
    assert "How well the public part predicts kaggle-public is said from 5 different" in text
    (kept,) = as_json("toy")["externals"]
    assert (kept["subject"], kept["score"], kept["board"]) == ("t0001-100", 0.787, "kaggle-public")
    assert kept["public"] == own
    assert as_json("toy")["predictions"] == {}


def test_five_scores_say_how_well_the_public_part_predicts(toy: RunFolder) -> None:
    run = open_run("toy")
    choose(run, selector(run, seats=3), rule="mean")
    with Store(toy.store_url(), "toy") as store:
        for seed in range(5, 12):
            name = f"t{seed:04d}-100"
            store.add_candidate(with_jaccard(0.4 + seed / 50, id=name))
    for seed in range(5, 9):
        add(f"t{seed:04d}-100", 0.5 + seed / 50)
    add("t0005-100", 0.6)  # again: the last one counts
    assert as_json("toy")["predictions"] == {}
    add("t0009-100", 0.68)
    found = as_json("toy")["predictions"]["kaggle-public"]
    assert found["pairs"] == 5
    assert found["spearman"]["mean"] == pytest.approx(1)
    assert found["spearman"]["low"] < 0.9
    assert found["offset"]["mean"] == pytest.approx(0.1)
    assert "kaggle-public: 5 scores; correlation with the public part +1.00" in (
        command("toy").stdout
    )


def test_the_selection_and_a_bundle_are_the_same_ensemble(toy: RunFolder, tmp_path: Path) -> None:
    selection = choose(open_run("toy"))
    shown = add("selection", 0.7).stdout
    assert all(seat.id in shown for seat in selection.members)
    with pytest.raises(SystemExit):
        main(["export", "toy", "--to", str(tmp_path / "bundle")])
    add(tmp_path / "bundle", 0.71)
    first, second = as_json("toy")["externals"]
    assert first["subject"] == second["subject"]
    assert first["public"] == pytest.approx(second["public"])


@pytest.mark.parametrize(
    "what, score, expected",
    [
        ("t0001-10", "0.5", r"CANDIDATE 't0001-10': .*did you mean 't0001-100'"),
        ("selection", "0.5", "no selection of its present candidates: `autoqa select toy`"),
        ("t0001-100", "78.7", "SCORE 78.7: .* between 0 and 1: write 0.787"),
        ("t0001-100", "-1", "SCORE -1: scores are shares between 0 and 1"),
        ("t0001-100", "nan", "SCORE nan"),
    ],
)
def test_scores_that_cannot_be_written_down(
    toy: RunFolder, what: str, score: str, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        command("add-external", "--board", "kaggle-public", "--", "toy", what, score)
    with pytest.raises(ConfigError, match="--board is empty"):
        add("t0001-100", 0.5, board=" ")
    assert as_json("toy")["externals"] == []


def test_a_bundle_of_another_study_is_refused(toy: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["export", "toy", "--to", str(tmp_path / "bundle")])
    toy.path.rename(toy.path.with_name("other"))
    text = bundle_kit.STUDY.replace('"toy"', '"other"', 1)
    (toy.path.with_name("other") / "study.toml").write_text(text)
    with pytest.raises(ConfigError, match="this bundle is of the study 'toy', not of 'other'"):
        command("add-external", "other", tmp_path / "bundle", 0.5, "--board", "kaggle-public")


def test_help_names_both_ways() -> None:
    text = command("--help").stdout
    assert "short for `autoqa leaderboard show STUDY`" in text
    assert "add-external" in text
