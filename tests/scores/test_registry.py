"""The registry, and a further metric from snapshots to model cards."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from autoqa.bundle.manifest import parse_manifest
from autoqa.errors import ConfigError
from autoqa.scores.metrics import score
from autoqa.scores.registry import (
    Metric,
    all_metrics,
    further_metrics,
    get_metric,
    objective,
    register,
    unregister,
)
from autoqa.scores.summary import ScoreEntry, score_answers
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Answer, Example
from tests import bundle_kit
from tests.conftest import Run
from tests.scores.toy_metric import LENGTH_GAP, registered


@pytest.fixture
def length_gap() -> Iterator[Metric]:
    with registered() as metric:
        yield metric


NAMES = ["jaccard", "em", "f1", "squad2", "mlqa", "character-f1", "anls"]


def test_the_metrics_in_their_order() -> None:
    assert [metric.name for metric in all_metrics()] == NAMES
    assert [each.name for each in further_metrics("mlqa")] == [n for n in NAMES if n != "mlqa"]
    assert [each.name for each in further_metrics("mlqa", wide=False)] == NAMES[:3]
    assert all(objective(name, "metric").segmentation for name in NAMES)


def test_a_search_cannot_raise_what_is_better_low(length_gap: Metric) -> None:
    with pytest.raises(ConfigError, match=r"validation\.metric: of 'length_gap' less is better"):
        objective("length_gap", "validation.metric")
    with pytest.raises(ConfigError, match=r"validation\.metric: metric 'f2' is unknown"):
        objective("f2", "validation.metric")


@pytest.mark.parametrize("metric", [*all_metrics(), LENGTH_GAP], ids=lambda metric: metric.name)
def test_values_are_in_the_range(metric: Metric) -> None:
    texts = ("", "the cat", "a cat sat", "नई दिल्ली।", "  ")
    values = [metric.function(one, other, "en") for one in texts for other in texts]
    assert (min(values), max(values)) == (metric.low, metric.high)
    perfect = metric.high if metric.higher_is_better else metric.low
    assert {metric.function(text, text, "en") for text in texts} == {perfect}


def test_no_name_is_taken_by_another_value_in_files() -> None:
    taken = {field.name for field in fields(CandidateRecord)} | set(ScoreEntry.model_fields)
    attributes = {"candidates", "card", "failure", "origin", "recipe", "run", "study_version"}
    assert not {metric.name for metric in all_metrics()} & (taken | attributes)


def test_unknown_and_taken_names(length_gap: Metric) -> None:
    with pytest.raises(ConfigError, match="metric 'F1' is unknown; did you mean 'f1'"):
        get_metric("F1")
    with pytest.raises(ConfigError, match="metric 'jacard' is unknown; did you mean 'jaccard'"):
        get_metric("jacard")
    with pytest.raises(ConfigError, match=r"there are: jaccard, em, f1, .*, length_gap"):
        get_metric("xyz")
    with pytest.raises(ConfigError, match="unknown"):
        unregister("xyz")
    with pytest.raises(ValueError, match="'length_gap' is registered already"):
        register(length_gap)
    with pytest.raises(ValueError, match="lower-case"):
        register(replace(length_gap, name="Length gap"))


def test_the_lowest_counts_where_lower_is_better(length_gap: Metric) -> None:
    context = "one two three"
    answers = (Answer("one", 0), Answer("one two three", 0))
    rows = [Example(name, "?", context, answers, name, "d") for name in ("en", "hi")]
    scores = score(["one tw", "one tw"], rows)
    assert list(scores.by_metric) == [*NAMES, "length_gap"]
    assert scores.by_metric["length_gap"].tolist() == [0.5, 0.25]
    assert scores.mean()["length_gap"] == 0.375


def test_an_entry_is_flat_and_further_metrics_follow_f1(length_gap: Metric) -> None:
    rows = bundle_kit.examples(4)
    entry = score_answers(["Rome"] * 4, rows)
    flat = entry.model_dump()
    assert list(flat) == ["jaccard", "low", "high", *NAMES[1:], "length_gap", "questions"]
    assert ScoreEntry.model_validate(flat) == entry
    unregister("length_gap")
    later = ScoreEntry.model_validate({**flat, "comment": "text", "no": None})
    register(length_gap)
    assert later == entry, "metrics that this autoqa lacks are kept, and what is none ignored"


def test_an_entry_of_another_metric_names_it() -> None:
    rows = bundle_kit.examples(4)
    entry = score_answers(["Rome"] * 4, rows, "mlqa")
    flat = entry.model_dump()
    assert list(flat)[:5] == ["metric", "mlqa", "low", "high", "jaccard"]
    assert ScoreEntry.model_validate(flat) == entry
    assert (entry.score, entry.further["jaccard"]) == (flat["mlqa"], flat["jaccard"])
    with pytest.raises(ValueError, match="mlqa is missing"):
        ScoreEntry.model_validate({key: flat[key] for key in flat if key != "mlqa"})


def test_an_entry_needs_jaccard() -> None:
    with pytest.raises(ValueError, match="jaccard is missing"):
        ScoreEntry.model_validate({"low": 0, "high": 1, "em": 0.5, "questions": 3})


@pytest.fixture
def home(length_gap: Metric, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs, with one study that was scored by the metric."""
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path)
    return tmp_path


def test_it_shows_from_the_database_to_the_model_card(home: Path, run: Run) -> None:
    folder = RunFolder(home / "toy")
    with Store(folder.store_url(), "toy") as store:
        records = {record.id: record for record in store.candidates()}
    assert all(record == folder.read_record(name) for name, record in records.items())

    code, out, _ = run("leaderboard", "toy", "--json")
    rows = json.loads(out)["candidates"]
    assert code == 0
    assert {row["id"]: row["length_gap"] for row in rows} == {
        name: record.scores["length_gap"] for name, record in records.items()
    }
    keys = list(rows[0])
    assert keys[keys.index("jaccard") :][: len(NAMES) + 2] == [
        *records["t0001-100"].scores,
        "jaccard_by_language",
    ]
    assert "length_gap" in run("leaderboard", "toy")[1].splitlines()[1]

    bundle = home / "bundle"
    assert run("export", "toy", "--to", bundle)[0] == 0
    manifest = parse_manifest((bundle / "manifest.json").read_bytes(), "manifest.json")
    gap = manifest.public.scores["length_gap"]
    content = json.loads((bundle / "manifest.json").read_text("utf-8"))
    order = ["jaccard", "low", "high", *NAMES[1:], "length_gap", "questions"]
    assert list(content["public"]) == list(content["private"]) == order
    card = (bundle / "README.md").read_text("utf-8")
    assert "(documents drawn anew), exact match, F1, F1 of SQuAD 2.0, F1 of MLQA (" in card
    assert "| Jaccard | EM | F1 | SQuAD 2 | MLQA | Character F1 | ANLS | Length gap |" in card
    public = next(line for line in card.splitlines() if line.startswith("| public"))
    assert public.endswith(f" | {gap:.2f} |")

    exam = bundle_kit.write_squad(home / "exam.json", bundle_kit.examples(16))
    evaluated = json.loads(run("evaluate", bundle, exam, "--json", "--quiet")[1])
    assert evaluated["length_gap"] == pytest.approx(gap)
    assert evaluated["by_language"]["hi"]["length_gap"] < evaluated["length_gap"]
    table = run("evaluate", bundle, exam, "--quiet")[1]
    assert table.split()[: len(NAMES) + 3] == ["language", "n", *NAMES, "length_gap"]


def test_an_autoqa_without_it_reads_what_one_with_it_wrote(home: Path, run: Run) -> None:
    bundle = home / "bundle"
    assert run("export", "toy", "--to", bundle)[0] == 0
    unregister("length_gap")
    try:
        assert "length_gap" not in run("leaderboard", "toy")[1]
        assert "length_gap" in json.loads(run("leaderboard", "toy", "--json")[1])["candidates"][0]
        exam = bundle_kit.write_squad(home / "exam.json", bundle_kit.examples(4))
        code, out, _ = run("evaluate", bundle, exam, "--json", "--quiet")
        assert (code, "length_gap" in out) == (0, False)
    finally:
        register(LENGTH_GAP)


def test_an_earlier_study_shows_a_dash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path)
    assert run("export", "toy", "--to", tmp_path / "first")[0] == 0
    before = run("leaderboard", "toy")[1].splitlines()
    with registered():
        after = run("leaderboard", "toy")[1].splitlines()
        assert "length_gap" in after[1]
        dashes = [
            next(line for line in lines if "t0001-100" in line).count("–")
            for lines in (before, after)
        ]
        assert dashes[1] == dashes[0] + 1
        assert run("export", "toy", "--to", tmp_path / "second")[0] == 0
    card = (tmp_path / "second" / "README.md").read_text("utf-8")
    private = next(line for line in card.splitlines() if line.startswith("| private"))
    assert private.endswith(" | – |"), "kept from an opening before there was the metric"
