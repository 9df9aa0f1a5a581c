"""A study with a metric of its own, from the leaderboard to a bundle's scores."""

import json
from pathlib import Path

import pytest

from autoqa.bundle.manifest import parse_manifest
from autoqa.scores.registry import all_metrics
from tests import bundle_kit
from tests.conftest import Run

NAMES = [metric.name for metric in all_metrics()]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path, "mlqa")
    return tmp_path


def test_everything_goes_by_it_and_shows_it_first(home: Path, run: Run) -> None:
    board = json.loads(run("leaderboard", "toy", "--json")[1])
    rows = board["candidates"]
    assert board["metric"] == "mlqa"
    assert [row["mlqa"] for row in rows] == sorted((row["mlqa"] for row in rows), reverse=True)
    assert {"metric", "mlqa_by_language"} <= rows[0].keys()
    heading = run("leaderboard", "toy")[1].splitlines()[1].split()
    assert heading[:8] == ["#", "candidate", "backbone", "mlqa", "±", "jaccard", "em", "f1"]

    assert "public mlqa" in run("select", "toy")[1]
    assert json.loads((home / "toy" / "selection.json").read_text("utf-8"))["metric"] == "mlqa"
    bundle = home / "bundle"
    assert run("export", "toy", "--to", bundle)[0] == 0
    manifest = parse_manifest((bundle / "manifest.json").read_bytes(), "manifest.json")
    assert manifest.plan.segmentation == manifest.vote.segmentation == "mixed"
    assert (manifest.format, manifest.private.metric) == ("1.4", "mlqa")
    card = (bundle / "README.md").read_text("utf-8")
    assert "| part | questions | MLQA | Jaccard | EM | F1 |" in card
    assert "public MLQA |" in card

    exam = bundle_kit.write_squad(home / "exam.json", bundle_kit.examples(16))
    found = json.loads(run("evaluate", bundle, exam, "--json", "--quiet")[1])
    assert found["mlqa"] == pytest.approx(manifest.public.score)
    assert found["low"] <= found["mlqa"] <= found["high"]
    table = run("evaluate", bundle, exam, "--quiet")[1].split()
    assert table[: len(NAMES) + 2] == ["language", "n", "mlqa", *(n for n in NAMES if n != "mlqa")]


def test_a_finished_study_is_ranked_by_another(home: Path, run: Run) -> None:
    rows = json.loads(run("leaderboard", "toy", "--json")[1])["candidates"]
    board = json.loads(run("leaderboard", "toy", "--metric", "em", "--json")[1])
    assert board["metric"] == "em"
    assert {row["id"]: row["em"] for row in rows} == pytest.approx(
        {row["id"]: row["em"] for row in board["candidates"]}
    )
    assert all(row["em_half_width"] >= 0 for row in board["candidates"])
    assert "em" in run("leaderboard", "toy", "--metric", "em")[1].splitlines()[1].split()[3]
    by = ("leaderboard", "toy", "--compare", "t0001-100", "t0002-100", "--json")
    gain = json.loads(run(*by, "--metric", "anls")[1])["gain"]
    own = {row["id"]: row["anls"] for row in rows}
    assert gain == pytest.approx(own["t0001-100"] - own["t0002-100"])


@pytest.mark.parametrize("command", [(), ("--compare", "t0001-100", "t0002-100")])
def test_an_unknown_metric_of_the_leaderboard(home: Path, run: Run, command: tuple[str]) -> None:
    code, out, err = run("leaderboard", "toy", *command, "--metric", "mqla")
    assert (code, out) == (2, "")
    assert "metric 'mqla' is unknown; did you mean 'mlqa'?" in err


def test_an_unknown_metric_of_a_study_file(tmp_path: Path, run: Run) -> None:
    text = Path("studies/quickstart.toml").read_text("utf-8")
    study = tmp_path / "study.toml"
    study.write_text(text.replace("[validation]", '[validation]\nmetric = "squad"'), "utf-8")
    code, _, err = run("search", study, "--dry-run")
    assert code == 2
    assert "study.toml: validation.metric: metric 'squad' is unknown; did you mean 'squad2'?" in err
    assert "Traceback" not in err
