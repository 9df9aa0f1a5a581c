"""Reading rows: every format says the same thing the same way, every bad row has its place."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.bundle.input_rows import Row, read_examples, read_rows
from autoqa.errors import DataError

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


@pytest.mark.parametrize("language", [None, 3, ["hi"]])
def test_a_language_that_is_no_text_is_none(language: object, tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps(ROW | {"language": language}))
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
    ("a.csv", "id,question,context\n1,q\n2,q,c\n", "line 2: the row has 2 fields"),
    ("a.csv", 'id,question,context\n1,q,"c\n\n"\n1,q,c\n', "line 5: the id '1' was already used"),
    ("a.csv", "id,question,context\n1, ,c\n", "line 2: question is empty"),
    ("a.csv", "id,question,context\n,q,c\n", "line 2: id is empty"),
    ("a.csv", b"id,question,context\n1,q,c\n2,q,\xff\n", "line 3: context holds the byte 0xff"),
    ("a.csv", 'id,question,context\n1,q,"c" d\n2,q,c\n', "line 2: this is no CSV"),
    ("a.csv", 'id,question,context\n2,q,c\n1,q,"c\n', "line 3: this is no CSV"),
    ("a.jsonl", '{"id": 1}\n', "line 1: question is missing; the row has id"),
    ("a.jsonl", '{"question": 3, "context": "c"}\n', "line 1: question must be text, not 3"),
    ("a.jsonl", '{"question": "q", "context": ""}\n', "line 1: context is empty"),
    ("a.jsonl", '\n{"question"\n', "line 2: this is no JSON"),
    ("a.jsonl", "[" * 100_000, "line 1: this is no JSON"),
    ("a.jsonl", b'{"question": "\xe0"}\n', "line 1: byte 0xe0 is not UTF-8"),
    ("a.jsonl", '{"question": "\\ud800", "context": "c"}', "line 1: question holds half a surrog"),
    ("a.jsonl", "[1]\n", "line 1: a row must be a JSON object, not [1]"),
    ("a.json", '[{"question": "q", "context": "c"}, 3]', "row 2: a row must be a JSON object"),
    ("a.json", squad({"id": "1", "question": ""}), "row 1: question is empty"),
    ("a.json", b'[{"question": "q", "context": "\xff"}]', "row 1: context holds the byte 0xff"),
    ("a.jsonl.gz", '{"id": 1, "question": "q"}', "line 1: context is missing; the row has id, q"),
]


@pytest.mark.parametrize("name, content, expected", BAD)
def test_a_bad_row_is_named_with_file_and_line(
    name: str, content: str | bytes, expected: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name, content)
    rows = read_rows(path)
    assert rows.problems[0].startswith(f"{path}, {expected}")
    assert len(rows.problems) == 1


@pytest.mark.parametrize(
    "name, content, ids",
    [
        ("a.csv", "id,question,context\na,q,c\nb,,c\nc,q,c,d\nd,q\ne,q,c\n", "a b c d e"),
        ("a.csv", 'id,question,context\na,q,"c" d\nb,q,c\na,q,c\n', "a b"),
        ("a.csv", "question,id,context\nq,a,c\nq, x,b,c\nq,c,c\n", "a c"),
        ("a.csv", 'question,context\nq,c\nq,c,d\nq,"c"d\n,\nq,c\n', "1 2 3 4 5"),
        (
            "a.jsonl",
            '{"id": "a"}\n{"id": 7, "question": \n{"id": "b", \n\n[]\n{"id": 3.5}',
            "a 7 b",
        ),
        ("a.jsonl", b'{"id": "a", "question": "\xff"}\n{"id": "\xff"}\n', "a"),
        ("a.jsonl", '{"question": "q"}\n{\n3\n', "1 2 3"),
        ("a.json", json.dumps([{"id": "a"}, ROW | {"id": "b"}, 3]), "a b"),
    ],
)
def test_no_id_is_lost(name: str, content: str | bytes, ids: str, tmp_path: Path) -> None:
    assert " ".join(read_rows(write(tmp_path, name, content)).ids) == ids


BAD_FILES = [
    ("a.txt", "", "cannot tell the format"),
    ("a.csv", "", "no column 'question'; the header has nothing"),
    ("a.csv", "id,question\n1,q\n", "a.csv:1: no column 'context'; the header has id, question"),
    ("a.csv", "id,id,question,context\n", "column 'id' appears more than once"),
    ("a.json", "{\n}{", "a.json:2: this is no JSON"),
    ("a.json", b"[\n\xff]", "a.json:2: this is no JSON"),
    ("a.csv", CSV.encode("utf-16"), "a.csv:1: the header is not UTF-8: save the file as UTF-8"),
    ("a.json", "{}", "neither SQuAD's form"),
    ("a.json", '{"data": [{"paragraphs": [{"context": "c"}]}]}', "data[0].paragraphs[0] has no li"),
    ("a.json", '{"data": [3]}', "data[0] has no list 'paragraphs'"),
]


@pytest.mark.parametrize("name, content, expected", BAD_FILES)
def test_a_bad_file_is_refused_as_a_whole(
    name: str, content: str | bytes, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        read_rows(write(tmp_path, name, content))
    assert expected in str(caught.value)


def test_contexts_that_are_equal_are_kept_once(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"question": f"q{n}", "context": "c" * 50}) + "\n" for n in "12")
    first, second = read_rows(write(tmp_path, "a.jsonl", lines)).good
    assert first.context is second.context


def test_missing_and_damaged_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_rows(tmp_path / "none.csv")
    whole = gzip.compress(CSV.encode() * 50)
    for damaged in (b"no gzip", whole[:-20], whole[:40] + b"x" + whole[41:]):
        (tmp_path / "b.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"b\.csv\.gz cannot be read"):
            read_rows(tmp_path / "b.csv.gz")
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(tmp_path / "a.csv.gz")


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(text, text), max_size=5))
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


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.jsonl", "a.json"]))
def test_no_bytes_get_past_as_anything_but_rows_or_data_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = write(tmp_path_factory.mktemp("rows"), name, b"question,context\n" + data)
    try:
        read_rows(path)
    except DataError:
        assert name == "a.json"


ANSWERED = [
    {"answers": {"text": ["Ada", "they"], "answer_start": [0, 14]}},
    {"answers": [{"text": "Ada", "answer_start": 0}, {"text": "they", "answer_start": 99}]},
    {"answers": ["Ada", "they"]},
    {"answers": {"text": ["Ada", "they"]}},
]


@pytest.mark.parametrize("fields", ANSWERED)
def test_answers_in_every_form(fields: dict[str, object], tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps(ROW | {"language": None} | fields))
    (example,) = read_examples(path)
    assert [(a.text, a.start) for a in example.answers] == [("Ada", 0), ("they", 14)]
    assert example.language == "und"


def test_the_kaggle_columns_are_read(tmp_path: Path) -> None:
    header = "id,context,question,answer_text,answer_start,language"
    path = write(
        tmp_path, "a.csv", f"{header}\n1,Ada wrote,Who?,Ada,0,hindi\n2,Ada wrote,W?,x,,tamil\n"
    )
    first, second = read_examples(path)
    assert (first.language, second.language) == ("hindi", "tamil")
    assert first.document == second.document
    assert second.answers[0].text == "x"


def test_examples_need_answers_and_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2: no answers to compare with"):
        read_examples(write(tmp_path, "a.csv", CSV))
    with pytest.raises(DataError, match="holds no rows"):
        read_examples(write(tmp_path, "b.csv", "question,context\n"))


def test_many_problems_are_counted_not_poured_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "question,context,answer_text\n" + ",c,a\n" * 30)
    with pytest.raises(DataError) as caught:
        read_examples(path)
    assert str(caught.value).endswith("... and 10 more such rows.")
    assert len(str(caught.value).splitlines()) == 21


def test_real_files_are_read(data_folder: Path) -> None:
    kaggle = read_examples(data_folder / "chaii-format.hi.csv")
    xquad = read_examples(data_folder / "xquad.hi.even-articles.json")
    assert len(kaggle) == len(xquad) == 612
    assert {e.id: e.question for e in kaggle} == {e.id: e.question for e in xquad}
    tydi = read_examples(data_folder / "tydiqa-goldp.te.dev.jsonl.gz")
    assert len(tydi) == 669
    assert {e.language for e in tydi} == {"te"}
