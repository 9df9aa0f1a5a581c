"""Disputed rows go to annotation tools and come back as overlays, with exact offsets."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.api import Answer, DataError, Example, MissingAssetError
from autoqa.labels.annotation_tasks import argilla_records, label_studio_tasks
from autoqa.labels.decisions import Dispute
from autoqa.labels.relabelled import REASON, read_relabelled

ROCKET = "🚀 Ada took the 🚂 to Rome.\nAda never came back; Rome 🏛 kept Ada."
ROW = Example("q1", "Where to?", ROCKET, (Answer("Ada", 2),), "en", "d", "mine")
OTHER = replace(ROW, id="q2", question="Who stayed?")


def dispute(row: Example, start: int, end: int, confidence: float = 0.8) -> Dispute:
    proposed = Answer(row.context[start:end], start)
    return Dispute(row, proposed, confidence, ("t0000-100", "t0001-100"))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def annotated(task: dict[str, Any], results: list[Any] | None, **more: Any) -> dict[str, Any]:
    """A task of Label Studio's JSON export, after somebody has annotated it."""
    taken = [] if results is None else [{"id": 7, "result": results, "was_cancelled": False} | more]
    return {"id": 1, "data": task["data"], "annotations": taken, "predictions": []}


def export(path: Path, content: list[Any]) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_label_studio_takes_both_answers_and_gives_one_back(tmp_path: Path) -> None:
    start = ROCKET.index("Rome")
    (task,) = json.loads(label_studio_tasks([dispute(ROW, start, start + 4)]))
    candidates, label = task["predictions"]
    assert (candidates["score"], label["score"]) == (0.8, 0.2)
    value = candidates["result"][0]["value"]
    assert ROCKET[value["start"] : value["end"]] == value["text"] == "Rome"
    path = export(tmp_path / "e.json", [annotated(task, candidates["result"])])
    found = read_relabelled(path, "mine", [ROW, OTHER])
    (change,) = found.changes
    assert (change.id, change.language, change.reason) == ("q1", "en", REASON)
    assert change.answers == (Answer("Rome", start),)
    assert change.confidence is None
    path = export(tmp_path / "e.json", [annotated(task, label["result"])])
    found = read_relabelled(path, "mine", [ROW, OTHER])
    assert (found.changes, found.confirmed, found.undecided) == ((), 1, 0)


def in_utf16(start: int, end: int, text: str) -> dict[str, Any]:
    return {"start": units(ROCKET[:start]), "end": units(ROCKET[:end]), "text": text}


def in_code_points(start: int, end: int, text: str) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text.replace("\n", "\\n")}


@pytest.mark.parametrize("count", [in_utf16, in_code_points])
@settings(max_examples=60, deadline=None)
@given(place=st.tuples(st.integers(0, len(ROCKET) - 1), st.integers(1, 30)))
def test_spans_of_label_studio_are_exact(
    tmp_path_factory: pytest.TempPathFactory,
    count: Callable[..., dict[str, Any]],
    place: tuple[int, int],
) -> None:
    start, end = place[0], min(sum(place), len(ROCKET))
    text = ROCKET[start:end]
    if not text.strip() or (count is in_utf16 and ROCKET[start:end] in ROCKET[:start]):
        return
    (task,) = json.loads(label_studio_tasks([dispute(ROW, 2, 5)]))
    result = {"type": "labels", "value": count(start, end, text) | {"labels": ["answer"]}}
    path = tmp_path_factory.getbasetemp() / f"{count.__name__}.json"
    row = replace(ROW, answers=(Answer("never", ROCKET.index("never")),))
    found = read_relabelled(export(path, [annotated(task, [result])]), "mine", [row])
    if text.strip() == "never":
        return
    left = len(text) - len(text.lstrip())
    assert found.changes[0].answers == (Answer(text.strip(), start + left),)


@settings(max_examples=60, deadline=None)
@given(
    context=st.text(st.sampled_from("ab 🚀é\n"), min_size=1, max_size=30),
    place=st.tuples(st.integers(0, 29), st.integers(1, 10)),
)
def test_spans_of_argilla_are_exact(
    tmp_path_factory: pytest.TempPathFactory, context: str, place: tuple[int, int]
) -> None:
    context += " end"
    start, end = min(place[0], len(context) - 4), min(sum(place), len(context))
    if not context[start:end].strip():
        return
    row = replace(ROW, context=context, answers=(Answer("nd", len(context) - 2),))
    (record,) = json.loads(argilla_records([dispute(row, start, end)]))
    span = {"start": units(context[:start]), "end": units(context[:end]), "label": "answer"}
    if record["suggestions"]:
        assert record["suggestions"]["answer"]["value"] == [span]
    else:
        assert span["end"] > len(context)
    record["responses"] = {"answer": [{"value": [span], "user_id": "u"}]}
    path = export(tmp_path_factory.getbasetemp() / "argilla.json", [record])
    (change,) = read_relabelled(path, "mine", [row]).changes
    left = len(context[start:end]) - len(context[start:end].lstrip())
    assert change.answers == (Answer(context[start:end].strip(), start + left),)
    assert (change.id, change.language) == (row.id, row.language)


def test_argilla_itself_reads_the_records(tmp_path: Path) -> None:
    argilla = pytest.importorskip("argilla", reason="pip install argilla")
    from argilla.records._io import JsonIO

    start = ROCKET.index("never")
    path = tmp_path / "records.json"
    path.write_text(argilla_records([dispute(ROW, start, start + 5)]), encoding="utf-8")
    (record,) = JsonIO._records_from_json(path)
    assert record.suggestions["answer"].score == [0.8]
    span = record.suggestions["answer"].value[0]
    record.responses.add(argilla.Response("answer", [span], user_id=UUID(int=1)))
    back = tmp_path / "back.json"
    JsonIO.to_json([record], back)
    (change,) = read_relabelled(back, "mine", [ROW]).changes
    assert change.answers == (Answer("never", start),)


def test_what_nobody_or_somebody_left_without_a_span(tmp_path: Path) -> None:
    tasks = json.loads(label_studio_tasks([dispute(ROW, 0, 1), dispute(OTHER, 0, 1)]))
    content = [annotated(tasks[0], None), annotated(tasks[1], [])]
    path = export(tmp_path / "e.json", content)
    found = read_relabelled(path, "mine", [ROW, OTHER])
    assert (found.undecided, found.dropped) == (1, 1)
    assert found.changes[0].answers is None
    (kept,) = read_relabelled(path, "mine", [ROW, OTHER], keep_empty=True).changes
    assert kept.answers == ()
    skipped = [annotated(tasks[0], [], was_cancelled=True)]
    assert read_relabelled(export(path, skipped), "mine", [ROW]).undecided == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"id": "q-1"}, r"has no row 'q-1' in 'en'; did you mean 'q1'"),
        ({"question": "Whither?"}, "the question of the row 'q1' is not that of sources.mine"),
        ({"text": ROCKET[1:]}, "the text of the row 'q1'"),
    ],
)
def test_rows_that_are_not_the_sources_are_named(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    (task,) = json.loads(label_studio_tasks([dispute(ROW, 2, 5)]))
    task["data"] |= changed
    path = export(tmp_path / "e.json", [annotated(task, task["predictions"][0]["result"])])
    with pytest.raises(DataError, match=message):
        read_relabelled(path, "mine", [ROW, OTHER])


def test_a_row_twice_and_a_span_at_no_place_are_named_at_once(tmp_path: Path) -> None:
    (task,) = json.loads(label_studio_tasks([dispute(ROW, 2, 5)]))
    good = annotated(task, task["predictions"][0]["result"])
    value = {"start": 3, "end": 9, "text": "nowhere", "labels": ["answer"]}
    wrong = annotated(
        {"data": task["data"] | {"id": "q2", "question": OTHER.question}},
        [{"type": "labels", "value": value}],
    )
    path = export(tmp_path / "e.json", [good, good, wrong])
    with pytest.raises(DataError) as caught:
        read_relabelled(path, "mine", [ROW, OTHER])
    first, second = str(caught.value).splitlines()
    assert "'q1' stands in the file twice" in first
    assert "'nowhere' is not at character 3" in second
    with pytest.raises(MissingAssetError):
        read_relabelled(tmp_path / "absent.json", "mine", [ROW])
