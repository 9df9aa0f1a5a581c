"""Files of decisions."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.api import Answer, DataError, MissingAssetError
from autoqa.data.overlay import Change
from autoqa.labels.decisions import Dispute, read_decisions, render_decisions
from tests.data.stand_in import examples

ROWS = examples(range(6))


def dispute(row: int) -> Dispute:
    one = ROWS[row]
    return Dispute(one, Answer(one.context[:4], 0), 0.8, ("t0000-100", "t0001-100"))


def written(path: Path, *decisions: tuple[int, str], delimiter: str = ",", **changes: str) -> Path:
    """Renders disputes and edits them as a person would."""
    text = render_decisions([dispute(row) for row, _ in decisions])
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    for row, (_, decision) in zip(rows, decisions, strict=True):
        row.update({"decision": decision, **changes})
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_accepted_and_dropped_rows_become_changes(tmp_path: Path, delimiter: str) -> None:
    decisions = ((0, "accept"), (1, "reject"), (2, " Drop "), (3, ""))
    path = written(tmp_path / "d.csv", *decisions, delimiter=delimiter)
    first, second = read_decisions(path, "hi", ROWS)
    assert first == Change(
        ROWS[0].id,
        ROWS[0].language,
        (dispute(0).proposed,),
        "a person accepted what candidates answer",
        None,
    )
    assert (second.id, second.answers) == (ROWS[2].id, None)


def test_all_problems_at_once_with_file_and_line(tmp_path: Path) -> None:
    path = written(tmp_path / "d.csv", (0, "acept"), (1, "accept"), (2, "maybe"))
    with pytest.raises(DataError) as caught:
        read_decisions(path, "hi", ROWS)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:2: the decision 'acept' is none of accept, reject, drop; did")
    assert "did you mean 'accept'?" in first
    assert second.startswith(f"{path}:4: the decision 'maybe'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "q-0-h"}, r":2: sources\.hi has no row 'q-0-h' in 'hi'; did you mean 'q-0-hi'"),
        ({"question": "Who?"}, "decisions were made for other rows"),
        ({"label": "Rome"}, "with the label 'Rome', but sources.hi has .*other rows"),
        ({"proposed": "nowhere"}, "'nowhere' is not at character '0' of the context"),
        ({"start": "x"}, "is not at character 'x'"),
        ({"start": "-1"}, "is not at character '-1'"),
    ],
)
def test_lines_that_fit_no_row(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = written(tmp_path / "d.csv", (0, "accept"), **change)
    with pytest.raises(DataError, match=message):
        read_decisions(path, "hi", ROWS)


def test_a_label_may_be_some_of_the_references(tmp_path: Path) -> None:
    path = written(tmp_path / "d.csv", (0, "drop"))
    several = replace(ROWS[0], answers=(Answer(ROWS[0].context[:9], 0), *ROWS[0].answers))
    (change,) = read_decisions(path, "hi", [several])
    assert change.id == ROWS[0].id


def test_a_row_that_is_decided_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "d.csv", (0, "accept"), (0, "drop"))
    with pytest.raises(DataError, match=r":3: the row .* was decided before"):
        read_decisions(path, "hi", ROWS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "lacks the columns id, language"),
        (b"id,decision\n1,accept\n", "lacks the columns language, question, label"),
        (b"\xff\xfe", "not a file of decisions"),
        (b'id,language,question,label,proposed,start,decision\n"1,a\n', "not CSV"),
    ],
)
def test_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_decisions(path, "hi", ROWS)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="no such file of decisions"):
        read_decisions(tmp_path / "absent.csv", "hi", ROWS)
