"""Corrected labels come back as an overlay that a study uses."""

import json
from pathlib import Path

import pytest

from autoqa.data import prepare_data
from autoqa.registry import open_study
from tests import bundle_kit
from tests.conftest import Run

STUDY = """
name = "mine"
[sources.rows]
type = "file"
path = "{folder}/rows.json"
{overlays}
[sources.exam]
type = "demo"
languages = ["en"]
documents = 4
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{{ source = "rows" }}]
[validation]
source = "exam"
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(6))
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(folder=tmp_path, overlays=""), encoding="utf-8")
    return path


def doccano(path: Path, spans: dict[int, list[list[object]]]) -> Path:
    rows = bundle_kit.examples(6)
    lines = [
        {
            **{"id": rows[number].id, "language": rows[number].language},
            **{"text": rows[number].context, "question": rows[number].question, "label": given},
        }
        for number, given in spans.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_an_export_becomes_an_overlay(study: Path, tmp_path: Path, run: Run) -> None:
    rows, overlay = bundle_kit.examples(6), tmp_path / "labels.json"
    own = rows[2].answers[0]
    export = doccano(
        tmp_path / "export.jsonl",
        {0: [[0, 3, "answer"]], 1: [], 2: [[own.start, own.end, "answer"]]},
    )
    arguments = ("data", "relabel", study, export, "--source", "rows", "--to", overlay)
    code, out, _ = run(*arguments)
    assert code == 0
    assert out.splitlines()[0] == (
        "sources.rows: 1 rows have another label, 1 are dropped; 1 are labelled as before, "
        "0 by nobody."
    )
    study.write_text(
        STUDY.format(folder=tmp_path, overlays=f'overlays = ["{overlay}"]'), encoding="utf-8"
    )
    train = {row.id: row for row in prepare_data(open_study(study)).train["rows"]}
    assert train["q0"].answers[0].text == rows[0].context[:3]
    assert "q1" not in train
    assert train["q2"].answers == rows[2].answers
    # Again, with the study using it: what the overlay holds is made anew.
    written = overlay.read_bytes()
    assert run(*arguments)[0] == 0
    assert overlay.read_bytes() == written
    kept = json.loads(run(*arguments, "--empty", "no-answer", "--json")[1])
    assert (kept["changed"], kept["dropped"]) == (2, 0)


def test_nothing_changed_is_nothing_written(study: Path, tmp_path: Path, run: Run) -> None:
    own = bundle_kit.examples(6)[2].answers[0]
    export = doccano(tmp_path / "export.jsonl", {2: [[own.start, own.end, "answer"]]})
    overlay = tmp_path / "labels.json"
    code, out, _ = run("data", "relabel", study, export, "--source", "rows", "--to", overlay)
    assert code == 0
    assert "changes no row of sources.rows" in out
    assert not overlay.exists()


@pytest.mark.parametrize(
    ("export", "more", "code", "words"),
    [
        ("absent.jsonl", (), 4, "absent.jsonl"),
        ("export.jsonl", ("--source", "raws"), 2, "did you mean 'rows'"),
        ("export.jsonl", ("--input-format", "labelstudio"), 2, "label-studio"),
        ("export.jsonl", (), 2, "has no row 'q0'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    study: Path, tmp_path: Path, run: Run, export: str, more: tuple[str, ...], code: int, words: str
) -> None:
    doccano(tmp_path / "export.jsonl", {0: [[0, 3, "answer"]]})
    overlay = tmp_path / "labels.json"
    ended, _, said = run("data", "relabel", study, tmp_path / export, "--to", overlay, *more)
    assert ended == code
    assert words in said
    assert said.count("\n") == 1
    assert not overlay.exists()


def test_an_overlay_cannot_be_written_over_a_folder(study: Path, tmp_path: Path, run: Run) -> None:
    rows = bundle_kit.write_squad(tmp_path / "corrected.json", bundle_kit.examples(6))
    options = ("--source", "rows", "--to", tmp_path)
    code, _, err = run("data", "relabel", study, rows, *options)
    assert code == 2
    assert "not an overlay (Is a directory)" in err
    assert "Errno" not in err
