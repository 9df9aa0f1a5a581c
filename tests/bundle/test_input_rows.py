"""Reading rows: every format says the same thing the same way, every bad row has its place."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.bundle.input_rows import Row, read_answered, read_rows
from autoqa.errors import DataError, MissingAssetError
from autoqa.types import Answer

ROW = {
    "id": "q1",
    "question": "Who?",
    "context": "Ada wrote it,\nthey say.",
    "language": "xx",
}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def squad(*questions: dict[str, object], **article: object) -> str:
    paragraph = {"context": ROW["context"], "qas": list(questions)}
    return json.dumps({"data": [{"paragraphs": [paragraph], **article}]})


CSV = 'language,id,question,context\nxx,q1,Who?,"Ada wrote it,\nthey say."\n'
CONTENTS = {
    "a.csv": CSV,
    "bom.csv": b"\xef\xbb\xbf"
    + CSV.replace("\n", "\r\n").encode().replace(b",\r\nthey", b",\nthey"),
    "a.CSV.gz": CSV,
    "a.jsonl": json.dumps(ROW | {"extra": 1}) + "\n\n",
    "a.jsonl.gz": json.dumps(ROW),
    "list.json": json.dumps([ROW]),
    "squad.json": squad({"id": "q1", "question": "Who?", "language": "xx"}, title="Ada"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_every_format_gives_the_same_row(name: str, tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, name, CONTENTS[name]))
    assert rows.good == (Row(**ROW),)
    assert rows.problems == ()


def test_a_row_may_say_no_language(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps(ROW | {"language": None}))
    assert read_rows(path).good[0].language == ""


def test_rows_are_numbered_where_there_is_no_id(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "question,context\nq,c\n\nq,d\n")
    assert [row.id for row in read_rows(path).good] == ["1", "2"]


def test_contexts_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = write(tmp_path, "a.csv", f"question,context\nq,{'w ' * 100_000}\n")
    assert len(read_rows(path).good[0].context) == 200_000
    assert csv.field_size_limit() == before


BAD = [
    ("id,question,context\n1, ,c\n2,q,c\n", "2: question is empty."),
    ('id,question,context\n1,q,"c\n\n"\n1,q,c\n', "5: the id '1' was already used in {}:2."),
    ("id,question,context\n1,q\n2,q,c\n", "2: expected 3 fields as in the header, found 2."),
    ('{"question": "q", "context": "c", "answers": 5}\n{"id": 1}\n', "2: context is missing; the"),
]


@pytest.mark.parametrize("content, expected", BAD)
def test_a_bad_row_is_named_with_file_and_line_and_the_other_is_good(
    content: str, expected: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "a", content)
    rows = read_rows(path)
    (problem,) = rows.problems
    assert problem.startswith(f"{path}:{expected.format(path)}")
    assert [row.question for row in rows.good] == ["q"]


@pytest.mark.parametrize(
    "content, ids",
    [
        ("id,question,context\na,q,c\nb,,c\nc,q,c,d\nd,q\ne,q,c\n", "a b c d e"),
        ('id,question,context\na,q,"c" d\nb,q,c\na,q,c\n', "a b"),
        ("question,id,context\nq,a,c\nq, x,b,c\nq,c,c\n", "a c"),
        ('question,context\nq,c\nq,c,d\nq,"c"d\n,\nq,c\n', "1 2 3 4 5"),
        ('{"id": "a"}\n{"id": 7, "question": \n{"id": "b", \n\n[]\n{"id": 3.5}', "a 7 b 3.5"),
        (b'{"id": "a", "question": "\xff"}\n{"id": "\xff"}\n', "a"),
        ('{"question": "q"}\n{\n3\n', "1 2 3"),
        (json.dumps([{"id": "a"}, ROW | {"id": "b"}, 3]), "a b"),
    ],
)
def test_no_id_is_lost(content: str | bytes, ids: str, tmp_path: Path) -> None:
    assert " ".join(read_rows(write(tmp_path, "a", content)).ids) == ids


def test_predict_does_not_look_at_answers(tmp_path: Path) -> None:
    path = write(tmp_path, "a", json.dumps(ROW | {"answers": {"text": 3}}))
    assert read_rows(path).good == (Row(**ROW),)
    with pytest.raises(DataError, match="an answer's text must be text, found 3"):
        read_answered(path)


def test_columns_format_and_delimiter_are_handed_on(tmp_path: Path) -> None:
    path = write(tmp_path, "a", "guid;q;passage;gold\nx;why;because;cause\n")
    columns = {"id": "guid", "question": "q", "context": "passage", "answer_text": "gold"}
    rows = read_rows(path, columns=columns, delimiter=";", format="csv")
    assert rows.good == (Row("x", "why", "because"),)
    (example,) = read_answered(path, columns=columns, delimiter=";", format="csv").examples
    assert example.answers == (Answer("cause", 2),)


def test_contexts_that_are_equal_are_kept_once(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"question": f"q{n}", "context": "c" * 50}) + "\n" for n in "12")
    first, second = read_rows(write(tmp_path, "a.jsonl", lines)).good
    assert first.context is second.context


def test_missing_and_damaged_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="does not exist"):
        read_rows(tmp_path / "none.csv")
    whole = gzip.compress(CSV.encode() * 50)
    for damaged in (whole[:-20], whole[:40] + b"x" + whole[41:]):
        (tmp_path / "b.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"b\.csv\.gz: damaged gzip file"):
            read_rows(tmp_path / "b.csv.gz")


# A file that is a tenth control characters is taken for a binary one.
text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), min_size=1
).filter(str.strip)


@given(st.lists(st.tuples(text, text), min_size=1, max_size=5))
def test_what_the_csv_and_json_writers_write_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = [Row(str(i), *pair) for i, pair in enumerate(pairs)]
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows(
            [("id", "question", "context"), *((r.id, r.question, r.context) for r in rows)]
        )
    objects = [{"id": r.id, "question": r.question, "context": r.context} for r in rows]
    lines = "\n".join(json.dumps(item, ensure_ascii=False) for item in objects)
    (folder / "a.jsonl").write_bytes(lines.encode())
    assert read_rows(folder / "a.csv").good == tuple(rows)
    assert read_rows(folder / "a.jsonl").good == tuple(rows)


ANSWERED = [
    {"answers": {"text": ["Ada", "they"], "answer_start": [0, 14]}},
    {"answers": [{"text": "Ada", "answer_start": 0}, {"text": "they", "answer_start": 99}]},
    {"answers": ["Ada", "they"]},
    {"answers": {"text": ["Ada", "they"]}},
]


@pytest.mark.parametrize("fields", ANSWERED)
def test_answers_in_every_form(fields: dict[str, object], tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps(ROW | {"language": None} | fields))
    (example,) = read_answered(path).examples
    assert [(a.text, a.start) for a in example.answers] == [("Ada", 0), ("they", 14)]
    assert example.language == "und"


def test_the_kaggle_columns_are_read(tmp_path: Path) -> None:
    header = "id,context,question,answer_text,answer_start,language"
    path = write(
        tmp_path, "a.csv", f"{header}\n1,Ada wrote,Who?,Ada,0,hindi\n2,Ada wrote,W?,x,,tamil\n"
    )
    first, second = read_answered(path).examples
    assert (first.language, second.language) == ("hindi", "tamil")
    assert first.document == second.document
    assert second.answers[0].text == "x"


def test_examples_need_answers_and_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv:2: no answers .*--column answer_text=NAME"):
        read_answered(write(tmp_path, "a.csv", CSV))
    with pytest.raises(DataError, match="holds no rows"):
        read_answered(write(tmp_path, "b.csv", "question,context\n"))


def test_many_problems_are_counted_not_poured_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "question,context,answer_text\n" + ",c,a\n" * 30)
    with pytest.raises(DataError) as caught:
        read_answered(path)
    assert str(caught.value).endswith("... and 10 more such rows.")
    assert len(str(caught.value).splitlines()) == 21


def test_real_files_are_read(data_folder: Path) -> None:
    kaggle = read_answered(data_folder / "chaii-format.hi.csv").examples
    xquad = read_answered(data_folder / "xquad.hi.even-articles.json").examples
    assert len(kaggle) == len(xquad) == 612
    assert {e.id: e.question for e in kaggle} == {e.id: e.question for e in xquad}
    tydi = read_answered(data_folder / "tydiqa-goldp.te.dev.jsonl.gz").examples
    assert len(tydi) == 669
    assert {e.language for e in tydi} == {"te"}


def test_a_number_and_an_id_that_are_the_same_are_told_apart(tmp_path: Path) -> None:
    row = {"question": "q", "context": "c"}
    rows = [row, row | {"id": "1"}, row | {"id": 4}, row]
    path = write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_rows(path).problems == (
        f"{path}:2: the id '1' was already used in {path}:1, as the number of a row without id.",
        f"{path}:4: the id '4' (the row's number, as it has no id) was already used in {path}:3.",
    )
