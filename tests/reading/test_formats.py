"""Every format gives the same rows, whoever reads it; names of files decide nothing."""

import re
from pathlib import Path

import pytest
from autoqa_sources.file import FileOptions, load, rows

from autoqa.bundle.input_rows import read_answered
from autoqa.bundle.input_rows import read_rows as read_questions
from autoqa.reading.formats import FORMATS as TABLE
from autoqa.reading.formats import read_rows, recognised
from tests.reading.formats_kit import FORMATS, Written, differences


@pytest.fixture(params=FORMATS)
def written(request: pytest.FixtureRequest) -> Written:
    return FORMATS[request.param]


def test_every_format_says_the_same_to_everyone(written: Written, tmp_path: Path) -> None:
    path = written.write(tmp_path)
    assert recognised(path) == written.name
    assert differences(written, list(read_rows(path))) == []
    expected = written.expected()

    # predict
    questions = read_questions(path)
    assert questions.problems == ()
    assert [(q.id, q.question) for q in questions.good] == [(f.id, f.question) for f in expected]
    # evaluate
    examples = read_answered(path).examples
    assert [(e.id, [a.text for a in e.answers]) for e in examples] == [
        (f.id, [f.answer] if f.answer else []) for f in expected
    ]
    # audit and search
    options = FileOptions(
        path=str(path), language="en", offsets="exact" if written.starts else "first"
    )
    assert [(r.id, r.question) for r in rows(options)] == [(f.id, f.question) for f in expected]
    found = load(options)
    assert [(e.id, e.question, e.language) for e in found] == [
        (f.id, f.question, f.language or "en") for f in expected
    ]
    for example, fact in zip(found, expected, strict=True):
        assert [a.text for a in example.answers] == ([fact.answer] if fact.answer else [])
        if written.starts:
            assert [(a.text, a.start) for a in example.answers] == list(fact.references)


def test_a_format_that_is_named_is_read_the_same(written: Written, tmp_path: Path) -> None:
    path = written.write(tmp_path)
    assert list(read_rows(path, format=written.name)) == list(read_rows(path))


def test_every_format_of_the_table_is_tried() -> None:
    assert {written.name for written in FORMATS.values()} == set(TABLE)


PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def documented() -> dict[str, str]:
    """Names and examples of the table of formats."""
    lines = PAGE.read_text("utf-8").partition("| `format` |")[2].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return {name: row[2] for row in cells for name in re.findall(r"`([a-z-]+)`", row[0])}


def test_the_page_lists_every_format() -> None:
    assert set(documented()) == set(TABLE)


@pytest.mark.parametrize("name", [n for n, shown in documented().items() if shown[1] in "{["])
def test_the_examples_of_the_page_are_read(name: str, tmp_path: Path) -> None:
    parts = re.findall(r"`([^`]*)`", documented()[name])
    path = tmp_path / "example"
    path.write_text("\n".join(part for part in parts if part[0] in "{["), "utf-8")
    assert recognised(path) == name
    (row,) = read_rows(path)
    assert (row.question, row.context, row.problem) == ("Q", "A C", "")
    assert row.answers == (("A", 0),)
