"""Every format gives the same rows, whoever reads it; names of files decide nothing."""

from pathlib import Path

import pytest
from autoqa_sources.file import FileOptions, load, rows

from autoqa.bundle.input_rows import read_examples
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
    examples = read_examples(path)
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
