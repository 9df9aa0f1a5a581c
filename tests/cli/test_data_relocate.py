import json
from pathlib import Path

import pytest
from autoqa_sources.demo.spec import DemoOptions, load
from click.testing import CliRunner, Result

from autoqa.cli.data.relocate import relocate
from autoqa.data import prepare_data
from autoqa.data.overlay import read_overlay
from autoqa.errors import AutoqaError, ConfigError, DataError
from autoqa.registry import open_study

STUDY = """
name = "places"
[sources.target]
type = "demo"
languages = ["en", "hi"]
documents = 150
noise = 1.0
{overlays}
[sources.clean]
type = "demo"
languages = ["en"]
documents = 400
seed = 7
[sources.once]
type = "demo"
documents = 1
[sources.exam]
type = "demo"
languages = ["en"]
documents = 30
seed = 9
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{{ source = "target" }}]
[validation]
source = "exam"
"""
TRUE = {
    (one.id, one.language): one.answers
    for one in load(DemoOptions(languages=("en", "hi"), documents=150))
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(overlays=""), encoding="utf-8")
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(relocate, [str(each) for each in arguments], catch_exceptions=False)


def test_wrong_places_are_put_right_and_the_overlay_applies(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.json"
    result = call(study, "--source", "target", "--to", target)
    overlay = read_overlay(target)
    right = sum(change.answers == TRUE[change.id, change.language] for change in overlay.changes)
    assert len(overlay.changes) > 50
    assert right / len(overlay.changes) > 0.9
    assert all(change.confidence is not None for change in overlay.changes)
    assert {change.language for change in overlay.changes} == {"en", "hi"}
    lines = result.stdout.splitlines()
    assert lines[-2].startswith("sources.target: of 1200 rows, ")
    assert f"answers in {len(overlay.changes)} rows move" in lines[-1]
    assert sum(line.startswith("  from  ") for line in lines) == 10
    assert sum("█" in line for line in lines) >= 3
    study.write_text(STUDY.format(overlays=f'overlays = ["{target}"]'), encoding="utf-8")
    data = prepare_data(open_study(study))
    assert f"sources.target: rows corrected by {target}: {len(overlay.changes)}." in data.notes
    # Again: what stands in the overlay that is to be written is found anew.
    written = target.read_bytes()
    call(study, "--source", "target", "--to", target)
    assert target.read_bytes() == written
    # Another overlay leaves alone what this one has settled.
    other = call(study, "--source", "target", "--to", tmp_path / "other.json", "--json")
    shown = json.loads(other.stdout)
    assert shown["settled_by_other_overlays"] == len(overlay.changes)
    moved = {(move["id"], move["language"]) for move in shown["moves"] if move["written"]}
    assert moved.isdisjoint((change.id, change.language) for change in overlay.changes)


def test_json_counts_every_answer_that_was_considered(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.json"
    result = call(study, "--source", "target", "--to", target, "--threshold", 0.9, "--json")
    shown = json.loads(result.stdout)
    assert shown["answers"] == sum(b["stay"] + b["move"] for b in shown["histogram"])
    assert shown["answers_judged_by_candidates"] == 0
    written = [move for move in shown["moves"] if move["written"]]
    assert 0 < len(written) < len(shown["moves"])
    assert {move["id"] for move in written} == {c.id for c in read_overlay(target).changes}
    assert all(move["confidence"] >= 0.9 for move in written)


def test_learning_from_a_source_that_can_be_trusted(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.json"
    call(study, "--source", "target", "--to", target, "--learn-from", "clean")
    changes = read_overlay(target).changes
    right = sum(change.answers == TRUE[change.id, change.language] for change in changes)
    assert right / len(changes) > 0.95


def test_a_source_with_translations_shows_the_place(study: Path, tmp_path: Path) -> None:
    text = study.read_text(encoding="utf-8")
    for name, language, before, after in (
        ("english", "en", "Ann met Bob and {0}. ", "Then, in the end, came {0}."),
        ("hindi", "hi", "यह एक कहानी है और बहुत लंबी है। ", "अंत में {0} आया।"),
    ):
        rows = []
        for number in range(60):
            # Two thirds occur once; their translations agree with each other.
            early = number % 3 == 1 or (name == "english" and number % 3 == 0)
            late = number % 3 != 1
            context = (before if early else before.replace("{0}", "who")) + (after if late else "")
            context = context.format(f"P{number}")
            start = context.find(f"P{number}")
            answers = {"text": [f"P{number}"], "answer_start": [start]}
            row = {"id": str(number), "context": context, "question": "Who?", "answers": answers}
            rows += [json.dumps(row) + "\n"] if start >= 0 else []
        (tmp_path / f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
        text = text.replace(
            "[backbones.e5]",
            f'[sources.{name}]\ntype = "file"\npath = "{tmp_path}/{name}.jsonl"\n'
            f'language = "{language}"\n[backbones.e5]',
        )
    study.write_text(text, encoding="utf-8")
    plain = json.loads(call(study, "--source", "english", "--json").stdout)
    told = json.loads(
        call(study, "--source", "english", "--translations", "hindi", "--json").stdout
    )
    assert plain["answers"] == told["answers"] == 20
    assert plain["moves"] == []
    assert len(told["moves"]) == 20


def test_nothing_to_do_is_said_and_nothing_written(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.json"
    result = call(study, "--source", "once", "--to", target)
    assert result.exit_code == 0
    assert "none of its 4 rows has an answer at the first of several occurrences" in result.stdout
    result = call(study, "--source", "target", "--to", target, "--threshold", 1)
    assert "0 answers in 0 rows move" in result.stdout
    assert "answers in 0 rows" not in call(study, "--source", "target").stdout
    assert not target.exists()
    empty = json.loads(call(study, "--source", "once", "--to", target, "--json").stdout)
    assert (empty["answers"], empty["overlay"], empty["histogram"]) == (0, None, [])


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("--source", "targt"), ConfigError, "no source 'targt'; did you mean 'target'"),
        (("--source", "x"), ConfigError, "no source 'x'; there are: target, clean, once, exam"),
        (("--source", "target", "--learn-from", "target"), ConfigError, "name other sources"),
        (
            ("--source", "target", "--learn-from", "cleen"),
            ConfigError,
            "from 'cleen': .*mean 'clean'",
        ),
        (("--source", "target", "--translations", "target"), ConfigError, "looked at anyway"),
        (
            ("--source", "target", "--translations", "cleen"),
            ConfigError,
            "ions 'cleen': .*mean 'clean'",
        ),
        (("--source", "target", "--learn-from", "once"), DataError, "0 answers .* too few"),
    ],
)
def test_wrong_sources(
    study: Path, tmp_path: Path, arguments: tuple[str, ...], kind: type[AutoqaError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        call(study, "--to", tmp_path / "overlay.json", *arguments)


def test_what_is_no_overlay_is_never_written_over(study: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not an overlay.*not written over"):
        call(study, "--source", "target", "--to", study)
    with pytest.raises(DataError, match=r"the folder .* does not exist"):
        call(study, "--source", "target", "--to", tmp_path / "no" / "overlay.json")
    target = tmp_path / "overlay.json"
    call(study, "--source", "target", "--to", target)
    with pytest.raises(DataError, match=r"an overlay of the source 'target', not 'clean'"):
        call(study, "--source", "clean", "--to", target)


@pytest.mark.parametrize("threshold", ["1.5", "-0.1", "x"])
def test_thresholds_that_make_no_sense(study: Path, tmp_path: Path, threshold: str) -> None:
    options = ("--source", "target", "--to", tmp_path / "o.json", "--threshold", threshold)
    assert call(study, *options).exit_code == 2
