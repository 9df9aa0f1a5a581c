"""Corrections that are laid over a source."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.api import Answer, DataError, MissingAssetError
from autoqa.data import prepare_data
from autoqa.data.overlay import Change, Overlay, fingerprint, read_overlay
from autoqa.registry import BoundStudy
from tests.data.stand_in import bind, examples

ROWS = examples(range(40))


def moved(row: int, to: int = 0) -> Change:
    one = ROWS[row]
    answer = Answer(one.context[to : to + 7], to)
    return Change(one.id, one.language, (answer,), "moved", 0.75)


def study(*overlays: Path) -> BoundStudy:
    bound = bind({"hi": ROWS}, {"source": "hi", "share": 0.5})
    table = bound.study.sources["hi"].model_copy(update={"overlays": tuple(map(str, overlays))})
    return replace(bound, study=bound.study.model_copy(update={"sources": {"hi": table}}))


def written(folder: Path, *changes: Change, mark: str = "", source: str = "hi") -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    named = [replace(row, source="hi") for row in ROWS]
    Overlay(source, mark or fingerprint(named), changes).write(path)
    return path


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    path = written(tmp_path, moved(3), Change("q-4-hi", "hi", None))
    overlay = read_overlay(path)
    assert overlay.changes == (moved(3), Change("q-4-hi", "hi", None))


def test_changes_and_drops_rows_before_the_split(tmp_path: Path) -> None:
    first = written(tmp_path, *(moved(row) for row in range(39)))
    second = written(tmp_path, moved(5, to=2), Change(ROWS[39].id, "hi", None))
    data = prepare_data(study(first, second))
    found = {one.id: one for part in (data.train["hi"], data.public, data.private) for one in part}
    assert found[ROWS[4].id].answers == moved(4).answers
    assert found[ROWS[5].id].answers == moved(5, to=2).answers
    assert ROWS[39].id not in found
    assert f"sources.hi: rows corrected by {first}: 39." in data.notes


def test_made_for_another_version_of_the_source(tmp_path: Path) -> None:
    path = written(tmp_path, moved(0), mark="0" * 12)
    with pytest.raises(DataError, match=r"made for another version of sources.hi .*000000000000"):
        prepare_data(study(path))


def test_fingerprint_sees_every_change_of_a_row() -> None:
    one = ROWS[0]
    changed = [
        replace(one, id="x"),
        replace(one, question="x"),
        replace(one, context=one.context + "."),
        replace(one, answers=()),
    ]
    marks = {fingerprint([row, ROWS[1]]) for row in [one, *changed]}
    assert len(marks) == 5
    assert fingerprint([ROWS[1], one]) not in marks


def test_answer_that_is_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, Change(ROWS[0].id, "hi", (Answer("nowhere", 3),)))
    with pytest.raises(DataError, match="'nowhere' is not at character 3"):
        prepare_data(study(path))


def test_overlay_of_another_source(tmp_path: Path) -> None:
    path = written(tmp_path, moved(0), source="other")
    with pytest.raises(DataError, match=r"sources.hi.overlays\[0\]: .* corrects .*'other'"):
        prepare_data(study(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="no such overlay"):
        prepare_data(study(tmp_path / "absent.json"))


@pytest.mark.parametrize(
    "content",
    ["[]", "{", json.dumps({"format": "autoqa-overlay 2"}), json.dumps({"format": "x"})],
)
def test_something_else(tmp_path: Path, content: str) -> None:
    path = tmp_path / "overlay.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="not an overlay"):
        read_overlay(path)
