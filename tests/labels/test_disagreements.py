"""Labels that confident candidates contradict: a real search with planted mistakes."""

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from autoqa_sources.demo.corpus import examples
from click.testing import CliRunner, Result

from autoqa.analysis.finished_run import open_run
from autoqa.cli.data.disagreements import disagreements
from autoqa.cli.data.relabel import relabel
from autoqa.data import prepare_data
from autoqa.data.overlay import read_overlay
from autoqa.errors import ConfigError
from autoqa.labels.candidate_opinions import Opinion
from autoqa.labels.disagreements import contradicted
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import keep_validation
from autoqa.training.jobs import TrialJob
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example, Span
from tests import bundle_kit

STUDY = """
name = "planted"
[sources.train]
type = "file"
path = "{folder}/train.json"
language = "en"
[sources.exam]
type = "file"
path = "{folder}/exam.json"
language = "en"
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{{ source = "train", share = [0.75, 0.76] }}]
[validation]
source = "exam"
public = 0.6
"""


def planted(rows: Sequence[Example], share: float) -> tuple[list[Example], set[str]]:
    """Some rows get the answer to another question about their context; which ones."""
    answers: dict[str, list[Answer]] = {}
    for row in rows:
        answers.setdefault(row.document, []).extend(row.answers)
    choose = random.Random(0)
    made, wrong = [], set()
    for row in rows:
        others = [a for a in answers[row.document] if a.text not in row.answers[0].text]
        others = [a for a in others if row.answers[0].text not in a.text]
        if others and choose.random() < share:
            row = replace(row, answers=(choose.choice(others),))
            wrong.add(row.id)
        made.append(row)
    return made, wrong


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, set[str]]]:
    """AUTOQA_HOME after two recipes were trained, and the ids of rows with planted mistakes."""
    folder = tmp_path_factory.mktemp("planted")
    wrong: set[str] = set()
    for name, documents, seed, share in (("train", 150, 1, 0.03), ("exam", 60, 3, 0.12)):
        rows, _ = examples("en", documents=documents, questions=4, seed=seed, noise=0)
        rows, mistakes = planted(rows, share)
        bundle_kit.write_squad(folder / f"{name}.json", rows)
        wrong |= mistakes
    text = STUDY.format(folder=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(folder / "runs"))
        run = RunFolder(folder / "runs" / "planted")
        run.create()
        run.study_file.write_text(text, encoding="utf-8")
        bench = Workbench(open_study(run.study_file), run.path)
        with Store(run.store_url(), "planted") as store:
            store.save_study(text)
            keep_validation(run, store, bench.data.public, bench.data.private)
        for number, share in enumerate((0.75, 0.76)):
            recipe = Recipe((Stage((Portion("train", share=share),), 256, 64),))
            job = TrialJob(number, "e5", TrainingRun(recipe, 3e-4, number), run.path)
            run_trial(job, bench, lambda message: None)
        yield folder, wrong


def call(*arguments: object) -> Result:
    texts = [str(each) for each in arguments]
    return CliRunner().invoke(disagreements, texts, catch_exceptions=False)


@pytest.mark.slow
def test_planted_mistakes_rank_above_right_labels(home: tuple[Path, set[str]]) -> None:
    _, wrong = home
    shown = json.loads(call("planted", "--threshold", 0.1, "--json").stdout)
    found = [row["id"] in wrong for row in shown["disagreements"]]
    print(f"\nprecision at 10: {sum(found[:10]) / 10}, of all {len(found)}: {sum(found)}")
    assert shown["rows_heard"] == shown["rows"] == shown["public_rows"]
    assert len(found) >= 10
    assert sum(found[:10]) >= 7  # one label in eight is wrong
    ranked = [row["confidence"] for row in shown["disagreements"]]
    assert ranked == sorted(ranked, reverse=True)
    run = open_run("planted")
    private = {row.id for row in prepare_data(open_study(run.folder.study_file)).private}
    assert private
    assert private.isdisjoint(row["id"] for row in shown["disagreements"])
    with run.store as store:
        assert store.openings() == []


@pytest.mark.slow
def test_training_rows_that_no_recipe_drew_are_heard(home: tuple[Path, set[str]]) -> None:
    shown = json.loads(call("planted", "--source", "train", "--json").stdout)
    usable = prepare_data(open_study(open_run("planted").folder.study_file)).train["train"]
    assert (shown["rows"], shown["public_rows"]) == (len(usable), 0)
    assert len(usable) > 500, "of 600, some of them nearly copies of validation"
    assert 15 <= shown["rows_heard"] <= 60  # a quarter of a quarter


@pytest.mark.slow
def test_from_decisions_to_an_overlay(home: tuple[Path, set[str]], tmp_path: Path) -> None:
    decided, overlay = tmp_path / "decisions.csv", tmp_path / "overlay.json"
    result = call("planted", "--threshold", 0.1, "--to", decided)
    assert "sources.exam: the labels of " in result.stdout
    assert "  proposed  " in result.stdout
    rows = list(csv.DictReader(decided.read_text(encoding="utf-8").splitlines()))
    assert len(rows) >= 3
    none = call("planted", "--apply", decided, "--to", overlay)
    assert "accepts and drops nothing" in none.stdout
    assert not overlay.exists()
    for row, decision in zip(rows, ("accept", "drop", "reject"), strict=False):
        row["decision"] = decision
    with decided.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(ConfigError, match="may hold decisions"):
        call("planted", "--to", decided)
    with pytest.raises(ConfigError, match="--apply needs --to"):
        call("planted", "--apply", decided)
    result = call("planted", "--apply", decided, "--to", overlay, "--json")
    assert json.loads(result.stdout)["accepted"] == json.loads(result.stdout)["dropped"] == 1
    accepted, dropped = read_overlay(overlay).changes
    expected = (Answer(rows[0]["proposed"], int(rows[0]["start"])),)
    assert (accepted.id, accepted.answers, accepted.confidence) == (rows[0]["id"], expected, None)
    assert accepted.reason.startswith("a person accepted")
    assert (dropped.id, dropped.answers) == (rows[1]["id"], None)


@pytest.mark.slow
def _export(kind: str, content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a tool exports after somebody took the first proposal and left the second row empty."""
    first, second = content[:2]
    if kind == "argilla":
        taken = [first["suggestions"]["answer"]["value"], []]
        for record, value in zip((first, second), taken, strict=True):
            record["responses"] = {"answer": [{"value": value, "user_id": "u"}]}
    else:
        for task, result in ((first, first["predictions"][0]["result"]), (second, [])):
            task["annotations"] = [{"id": 1, "result": result, "was_cancelled": False}]
        for task in content[2:]:
            task["annotations"] = []
    return content


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["label-studio", "argilla"])
def test_to_an_annotation_tool_and_back(
    home: tuple[Path, set[str]], tmp_path: Path, kind: str
) -> None:
    tasks, overlay = tmp_path / "tasks.json", tmp_path / "overlay.json"
    result = call("planted", "--threshold", 0.1, "--as", kind, "--to", tasks)
    assert "autoqa data relabel planted EXPORT --source exam" in result.stdout
    proposed = json.loads(call("planted", "--threshold", 0.1, "--json").stdout)["disagreements"]
    content = json.loads(tasks.read_text(encoding="utf-8"))
    assert len(content) == len(proposed)
    tasks.write_text(json.dumps(_export(kind, content)), encoding="utf-8")
    arguments = ["planted", tasks, "--to", overlay, "--json"]
    told = CliRunner().invoke(relabel, [str(each) for each in arguments], catch_exceptions=False)
    counts = json.loads(told.stdout)
    assert (counts["changed"], counts["dropped"]) == (1, 1)
    assert counts["undecided"] == len(content) - 2
    changed, dropped = read_overlay(overlay).changes
    first = proposed[0]
    assert (changed.id, changed.answers) == (
        first["id"],
        (Answer(first["proposed"], first["start"]),),
    )
    assert (dropped.id, dropped.answers) == (proposed[1]["id"], None)


@pytest.mark.parametrize("options", [(), ("--to", "overlay", "--apply", "decisions.csv")])
def test_a_form_of_tasks_where_none_are_written(options: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="--as argilla says what --to writes: give --to FILE"):
        call("planted", "--as", "argilla", *options)


@pytest.mark.slow
def test_an_unknown_source(home: tuple[Path, set[str]]) -> None:
    with pytest.raises(ConfigError, match="no source 'exma'; did you mean 'exam'"):
        call("planted", "--source", "exma")


def test_no_search_has_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="no study of that name has been searched"):
        call("nothing")


ROW = Example("r", "Who?", "Ann saw Bob. Bob saw Ann.", (Answer("Ann", 0),), "en", "d")


def span(start: int, end: int, score: float) -> Span:
    return Span(start, end, score, ROW.context[start:end])


@pytest.mark.parametrize(
    ("spans", "confidence"),
    [
        ([span(8, 11, 0.9)], None),  # one alone
        ([span(8, 11, 0.9), span(8, 11, 0.7)], 0.8),
        ([span(8, 11, 0.9), span(8, 11, 0.7), span(0, 3, 0.9)], 1.6 / 3),  # one dissents
        ([span(8, 11, 0.9), span(0, 3, 0.95)], None),  # they do not agree
        ([span(0, 3, 0.9), span(0, 3, 0.9)], None),  # they confirm the label
        ([span(0, 7, 0.9), span(0, 7, 0.9)], None),  # Ann saw: half of the words, same place
        ([span(21, 24, 0.9), span(21, 24, 0.5)], 0.7),  # the label's words elsewhere
        ([span(21, 24, 0.9), span(0, 3, 0.5)], None),  # one of them where the label is
        ([Span(0, 0, 0.9, ""), Span(0, 0, 0.9, "")], None),  # no answer at all
    ],
)
def test_when_a_label_is_contradicted(spans: list[Span], confidence: float | None) -> None:
    heard = [Opinion(f"t{number:04d}-100", each) for number, each in enumerate(spans)]
    found = contradicted(ROW, heard)
    if confidence is None:
        assert found is None
    else:
        assert found is not None
        assert found.confidence == pytest.approx(confidence)
        assert found.proposed.text == spans[0].text


def test_a_second_reference_may_be_what_they_say() -> None:
    row = replace(ROW, answers=(Answer("Ann", 0), Answer("Bob", 8)))
    heard = [Opinion("a", span(8, 11, 0.9)), Opinion("b", span(8, 11, 0.9))]
    assert contradicted(row, heard) is None


def test_answers_are_compared_in_words_as_the_metric_cuts_them() -> None:
    context = "東京都は東京にある。大阪は別の都市。"
    row = Example("r", "どこ?", context, (Answer("東京都", 0),), "ja", "d")
    near, far = Span(0, 2, 0.9, "東京"), Span(10, 12, 0.9, "大阪")
    for spans, by_characters in (((near, near), None), ((far, far), "大阪")):
        heard = [Opinion(str(number), each) for number, each in enumerate(spans)]
        whole = contradicted(row, heard)
        assert whole is not None, "by white space every answer but the label is another"
        found = contradicted(row, heard, "mixed")
        assert (found and found.proposed.text) == by_characters
