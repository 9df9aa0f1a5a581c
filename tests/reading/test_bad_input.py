"""Bad input: a sentence with its place for each, nothing lost, nothing raised but what is said."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from autoqa.reading.content import likely_encoding
from autoqa.reading.formats import read_rows, recognised, rows_from
from autoqa.reading.rows import RawRow
from tests.reading.formats_kit import FACTS, FORMATS, chaii, dumps, features, lines, table

ROW = {"question": "q", "context": "c d", "answers": ["d"]}
GOOD = json.dumps(ROW)
FRENCH = "id,question,context,answer_text\n1,Où ?,Élie est né à Besançon près de la forêt.,Élie\n"


def put(folder: Path, content: str | bytes, name: str = "a") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sentences(path: Path, **how: Any) -> list[str]:
    """What reading a file says: of the whole, or of its rows."""
    try:
        return [f"{r.where}: {r.problem}" for r in read_rows(path, **how) if r.problem]
    except AutoqaError as error:
        return [str(error)]


FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", ": it is empty."),
    "blank": (b" \n\n", ": it is empty."),
    "only a mark": (b"\xef\xbb\xbf", ": it is empty."),
    "no rows": ("[]", ": it holds no rows"),
    "header only": ("question,context\n", ": it holds no rows"),
    "prose": ("Once upon a time\nthere was\n", ": neither JSON nor a table with columns question"),
    "columns": ("id,quesion,context\n1,q,c\n", ":1: column question is missing; found"),
    "column meant": ("id,quesion,context\n1,q,c\n", "is 'quesion' meant?"),
    "twice": ("context,question,context\na,b,c\n", ":1: column 'context' appears more than once."),
    "cut JSON": ('{"data": [\n{"title": "x"', ":2: invalid JSON, it ends within a value"),
    "JSON": ('{"data": [\n}', ":2: invalid JSON, expecting value at character 1."),
    "deep": ("[" * 100_000, ": invalid JSON, it is nested too deep."),
    "long number": ("[" + "1" * 5000 + "]", ": invalid JSON, "),
    "other object": ('{\n"instances": [1]}', 'expected {"data": [...]} as SQuAD has it'),
    "two layouts": (
        f'{GOOD}\n{{"context": "c", "qas": []}}\n',
        ":2: the object has context, qas, as of simpletransformers, but the first one of the file "
        "is one row; put them into files of their own.",
    ),
    "the other way": (
        f'{{"context": "c", "qas": [{GOOD}]}}\n{GOOD}\n',
        ":2: the object has question, context, answers, as one row, but the first one of the file "
        "is of simpletransformers; put",
    ),
    "columns of pandas": (
        json.dumps({"question": {"0": "q"}, "context": {"0": "c"}}),
        "it holds columns, not rows; pandas writes rows with to_json(",
    ),
    "two documents": (f'{{"data": [{GOOD}]}}\n{{"data": []}}\n', ":2: something follows where the"),
    "a list, then lines": (f"[{GOOD}]\n{GOOD}\n", ":2: something follows where the JSON document"),
    "two long documents": ("[\n{}\n]\n[\n{}\n]\n", ":4: something follows where the JSON"),
    "a text": ('{"data": 3}', 'expected {"data": [...]}'),
    "no articles": ('{"data": [3]}', ": row 1: expected an object with question and context"),
    "paragraphs": ('{"data": [{"paragraphs": 3}]}', ": data[0]: paragraphs must be a list"),
    "qas": (
        '{"data": [{"paragraphs": [{"context": "c"}]}]}',
        "paragraphs[0]: expected a list 'qas'",
    ),
    "a question": (
        '{"data": [{"paragraphs": [{"context": "c", "qas": [3]}]}]}',
        "qas[0]: expected",
    ),
    "line": (f"{GOOD}\n{{\n{GOOD}\n", ":2: invalid JSON, the line ends within a value"),
    "first line": (f"{{oh\n{GOOD}\n", ":1: invalid JSON, expecting property name"),
    "lines, then a table": (
        f"{GOOD}\nid,question,context\n",
        ":2: expected a JSON object, as lines",
    ),
    "lines of lists": ("[1]\n[2]\n", ":1: expected an object with question and context"),
    "a table, then lines": (
        f"question,context\nq,c\n{GOOD}\n",
        ":3: expected 2 fields as in the header, found 3",
    ),
    "a comma too many": (
        "question,context\nq,c, d\n",
        ":2: expected 2 fields as in the header, found 3; fields that hold commas need quotes.",
    ),
    "a field too few": (
        "question;context\nq\n",
        ":2: expected 2 fields as in the header, found 1.",
    ),
    "a line cut": (
        GOOD + '\n{"question": "q", "context": "c"\n',
        ":2: invalid JSON, the line ends within a value; write",
    ),
    "commas after lines": (
        f"{GOOD},\n{GOOD},\n",
        ":1: a comma follows a whole JSON document; take",
    ),
    "open quote": (
        'question,context\nq,"c\n',
        ":2: invalid CSV, a field begins with a quote that has no end; ",
    ),
    "gzip": (gzip.compress(GOOD.encode() * 99)[:-9], ": damaged gzip file, "),
    "bytes": (b'{"question": "q", "context": "\xff"}', ":1: context holds the byte 0xff, which is"),
    "half a pair": ('{"question": "\\ud800", "context": "c"}', "question holds half a surrogate"),
    "French": (FRENCH.encode("cp1252"), "holds the byte 0xf9, which is not UTF-8"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_said_with_its_place(case: str, tmp_path: Path) -> None:
    content, expected = FILES[case]
    path = put(tmp_path, content)
    said = sentences(path)
    assert said
    assert said[0].startswith(str(path))
    assert expected in said[0]
    assert said[0].endswith((".", '"'))
    assert len(said[0].splitlines()) == 1


@pytest.mark.parametrize("between", [",", "\t"])
@pytest.mark.parametrize("later", ["", '5{0}"q"{0}c d\n'])
def test_an_open_quote_swallows_no_rows(tmp_path: Path, between: str, later: str) -> None:
    good = "".join(f"{number}{between}q{between}c\n" for number in (3, 4))
    text = 'id,question,context\n1,q,"c\n\nd"\n2,"q,c\n'.replace(",", between)
    path = put(tmp_path, text + good + later.format(between) + good)
    rows = list(read_rows(path))
    ids = ["1", "2", "3", "4", *(["5"] if later else []), "3", "4"]
    assert [row.id for row in rows] == ids
    assert [row.id for row in rows if row.problem] == ["2"]
    assert [row.where for row in rows][:3] == [f"{path}:{n}" for n in (2, 5, 6)]
    assert rows[0].context == "c\n\nd"


def test_a_pipe_is_named_before_anything_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert sentences(path) == [
        f"{path}: it is a pipe or a device, which can be read only once; write what comes out "
        "of it into a file, and name that."
    ]


def test_a_damaged_text_of_several_lines_is_one_bad_row(tmp_path: Path) -> None:
    text = 'id,question,context\n1,q,"one\nthree, four\n\nfive "two" "\n2,q,c\n'
    bad, good = read_rows(put(tmp_path, text))
    assert (bad.id, good.id) == ("1", "2")
    assert "invalid CSV, ',' expected after '\"'; a field with quotes" in bad.problem


ROWS: list[tuple[dict[str, Any], str]] = [
    ({"context": None}, "context must be text, found null."),
    ({"question": 5}, "question must be text, found 5."),
    ({"id": True}, "id must be text or a number, found a boolean."),
    ({"answers": {"start": [1]}}, "answers has no text; it has start."),
    ({"answers": {"text": ["x"], "answer_start": []}}, "answers has 1 text but 0 answer_start"),
    ({"answers": {"text": ["x"], "answer_start": [1, 2]}}, "1 text but 2 answer_start"),
    ({"answers": {"text": ["x"], "answer_start": ["one"]}}, "must be a whole number, found 'one'."),
    ({"answers": {"text": ["x"], "answer_start": [1.5]}}, "must be a whole number, found 1.5."),
    ({"answers": {"text": ["x"], "answer_start": [True]}}, "must be a whole number, found True."),
    ({"answers": {"text": [1], "answer_start": [1]}}, "an answer's text must be text, found 1."),
    (
        {"answers": "{'text': [f(1)]}"},
        "answers must be an object or a list, found text that spells",
    ),
    ({"answers": "[1, ...]"}, "answers must be an object or a list, found text that spells"),
    ({"is_impossible": "maybe"}, "is_impossible must be true or false, found 'maybe'."),
    ({"language": 1}, "language must be text, found 1."),
    ({"title": ["x"]}, "title must be text, found a list."),
]


@pytest.mark.parametrize("changes, expected", ROWS)
def test_a_bad_row_is_yielded_and_the_others_are_good(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    path = put(tmp_path, lines([ROW, ROW | changes, ROW]))
    first, bad, last = read_rows(path)
    assert (first.problem, last.problem) == ("", "")
    assert bad.where == f"{path}:2"
    assert expected in bad.problem


def test_what_is_no_answer_and_what_is_no_start() -> None:
    nothing: list[dict[str, Any]] = [
        {"answers": None},
        {"answers": []},
        {"answers": {"text": [], "answer_start": []}},
        {"answers": {"text": [""], "answer_start": [0]}},
        {"answers": {"text": [""], "answer_start": [-1]}},
        {"answers": {"text": [None], "answer_start": [None]}},
        {"answers": {"text": "", "answer_start": -1.0}},
        {"answers": [{"text": "", "answer_start": 0}]},
        {"answers": float("nan")},
        {"answer_text": "", "answer_start": ""},
        {"answer_text": float("nan"), "answer_start": float("nan")},
        *(
            {"answers": {"text": ["d"], "answer_start": [2]}, "is_impossible": yes}
            for yes in (True, 1, 1.0, "true", "True", "1")
        ),
    ]
    bare = {"question": "q", "context": "c d"}
    for row in rows_from([bare | fields for fields in nothing], "rows"):
        assert (row.problem, row.answers, row.labelled) == ("", (), True), row
    starts = [(2, 2), (2.0, 2), ("2", 2), (" 2.0", 2), (-1, None), (None, None), ("-1", None)]
    starts += [(float("nan"), None), ("", None), ("None", None), ("NaN", None), (-7, -7)]
    rows = rows_from(
        [bare | {"answers": [{"text": "d", "answer_start": start}]} for start, _ in starts], "rows"
    )
    assert [row.answers for row in rows] == [(("d", start),) for _, start in starts]
    (unknown,) = rows_from([bare], "rows")
    assert (unknown.answers, unknown.labelled) == ((), False)
    for no in (False, 0, "false", None, ""):
        (row,) = rows_from([bare | {"answers": ["d"], "is_impossible": no}], "rows")
        assert row.answers == (("d", None),)


def test_an_answer_may_look_like_a_list(tmp_path: Path) -> None:
    answers = ["[1]", "(1990)", "[citation needed]", "{x}", "about (5)", "array(", "[]", "['a']"]
    rows = [{"question": "q", "context": "c", "answer": answer} for answer in answers]
    found = list(read_rows(put(tmp_path, table(rows))))
    assert [row.problem for row in found] == [""] * len(rows)
    expected = [((answer, None),) for answer in answers[:6]]
    assert [row.answers for row in found] == [*expected, (), (("a", None),)]


def test_ids_are_optional_and_whole_numbers_are_text() -> None:
    bare = {"question": "q", "context": "c"}
    given = [{}, {"id": None}, {"id": 17.0}, {"id": 18}, {"id": "x"}, {"id": float("nan")}]
    rows = list(rows_from([bare | fields for fields in given], "rows"))
    assert [row.id for row in rows] == ["1", "2", "17", "18", "x", "6"]
    assert [row.numbered for row in rows] == [True, True, False, False, False, True]


# -- columns -------------------------------------------------------------------------------------

NAMED = [
    {
        "guid": "x1",
        "q": {"text": "Who?"},
        "passage": "Ada did.",
        "gold": {"span": ["Ada"], "at": [0]},
    }
]
COLUMNS = {
    "id": "guid",
    "question": "q.text",
    "context": "passage",
    "answers.text": "gold.span",
    "answers.answer_start": "gold.at",
}


def test_columns_have_names_of_their_own(tmp_path: Path) -> None:
    expected = ("x1", "Who?", "Ada did.", (("Ada", 0),))
    path = put(tmp_path, dumps(NAMED))
    flat = [
        {
            "guid": "x1",
            "q": '{"text": "Who?"}',
            "passage": "Ada did.",
            "gold": dumps(NAMED[0]["gold"]),
        }
    ]
    other = put(tmp_path, table(flat, ";"), "b")
    for file in (path, other):
        (row,) = read_rows(file, columns=COLUMNS)
        assert (row.id, row.question, row.context, row.answers) == expected


def test_a_column_with_a_dot_in_its_name_and_lists_of_objects() -> None:
    raw = {"q.text": "Who?", "passage": "Ada did.", "spans": [{"s": "Ada", "at": 0}]}
    columns = {"question": "q.text", "context": "passage", "answers.text": "spans.s"}
    (row,) = rows_from([raw], "rows", columns | {"answers.answer_start": "spans.at"})
    assert (row.question, row.answers) == ("Who?", (("Ada", 0),))


def test_references_that_are_named_go_before_those_of_the_file() -> None:
    raw = ROW | {"checked": "c"}
    (row,) = rows_from([raw], "rows", {"answer_text": "checked"})
    assert row.answers == (("c", None),)


def test_columns_reach_into_any_layout() -> None:
    article = {"paragraphs": [{"context": "c", "qas": [{"q": "why", "no": 7, "answers": []}]}]}
    (row,) = rows_from([article], "rows", {"question": "q", "id": "no"})
    assert (row.question, row.id, row.problem) == ("why", "7", "")


@pytest.mark.parametrize(
    "columns, expected",
    [
        (
            {"context": "pasage"},
            "no row has a column 'pasage' for context; found guid, q, passage, gold; is 'p",
        ),
        (
            {"question": "q.txt"},
            "no row has a column 'q.txt' for question; found guid, q, passage, gold; is 'q.t",
        ),
        (
            {"id": "gid"},
            "no row has a column 'gid' for id; found guid, q, passage, gold; is 'guid' meant?",
        ),
        ({"contxt": "passage"}, "columns: 'contxt' is none of id, question,"),
        ({"contxt": "passage"}, "did you mean 'context'?"),
        ({"id": ""}, "columns: id is given a column without a name."),
    ],
)
def test_a_column_that_is_not_there(tmp_path: Path, columns: dict[str, str], expected: str) -> None:
    said = sentences(put(tmp_path, dumps(NAMED)), columns=COLUMNS | columns)
    assert any(expected in sentence for sentence in said), said


def test_a_column_of_a_table_that_is_not_there(tmp_path: Path) -> None:
    path = put(tmp_path, "q,passage\nx,y\n")
    (said,) = sentences(path, columns={"question": "q", "context": "pasage"})
    assert said == (
        f"{path}:1: no column 'pasage' for context; found q, passage; is 'passage' meant?"
    )


# -- formats and delimiters ----------------------------------------------------------------------


def test_a_format_that_is_not_known(tmp_path: Path) -> None:
    path = put(tmp_path, GOOD)
    with pytest.raises(ConfigError, match=r"format 'squadd' is none of .* did you mean 'squad'"):
        list(read_rows(path, format="squadd"))
    with pytest.raises(ConfigError, match="delimiter ';;' must be one character"):
        list(read_rows(path, delimiter=";;"))


@pytest.mark.parametrize(
    "name, looks", [("squad", "jsonl"), ("mrqa", "jsonl"), ("doccano", "jsonl")]
)
def test_a_format_that_it_is_not(tmp_path: Path, name: str, looks: str) -> None:
    with pytest.raises(DataError, match=f"it is no {name} file, it looks like {looks}"):
        list(read_rows(put(tmp_path, GOOD), format=name))


def test_blank_lines_before_the_header_are_no_header(tmp_path: Path) -> None:
    (row,) = read_rows(put(tmp_path, "\n\nquestion,context\nq,c\n\n"))
    assert (row.where[-2:], row.id, row.context) == (":4", "1", "c")


def test_a_delimiter_that_is_named_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path, "question^context\nq^c;d,e\n")
    (row,) = read_rows(path, delimiter="^")
    assert row.context == "c;d,e"


@given(
    st.sampled_from(",;\t|"),
    st.lists(
        st.text(st.sampled_from('ab ,;|\t"\n'), min_size=1).filter(str.strip),
        min_size=1,
        max_size=6,
    ),
)
def test_the_delimiter_is_found_whatever_the_fields_hold(
    tmp_path_factory: pytest.TempPathFactory, delimiter: str, contexts: list[str]
) -> None:
    rows = [{"id": str(n), "context": text, "question": text, "answer_text": text}
            for n, text in enumerate(contexts)]  # fmt: skip
    path = put(tmp_path_factory.mktemp("csv"), table(rows, delimiter))
    found = list(read_rows(path))
    assert [(row.id, row.context, row.answers) for row in found] == [
        (str(n), text, ((text, None),)) for n, text in enumerate(contexts)
    ]


# -- what is no text -----------------------------------------------------------------------------


def run_advice(sentence: str, folder: Path) -> None:
    """Runs the command that a sentence gives."""
    command = sentence[sentence.index("python -") :].rstrip(".")
    for end in ("(needs", ") and name"):
        command = command.partition(end)[0]
    command = command.rstrip(" ,.").replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True, cwd=folder)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_named_and_the_command_makes_utf8_of_it(tmp_path: Path, codec: str) -> None:
    path = put(tmp_path, table(chaii()).encode(codec), "a.csv")
    (said,) = sentences(path)
    assert f"a text in {codec[:6].upper()}, not UTF-8" in said
    run_advice(said, tmp_path)
    rows = list(read_rows(tmp_path / "utf8-a.csv"))
    assert [row.context for row in rows] == [fact.context for fact in FACTS]


def test_another_encoding_is_shown_and_the_command_converts_it(tmp_path: Path) -> None:
    path = put(tmp_path, FRENCH.encode("cp1252"), "a.csv")
    (said,) = sentences(path)
    assert "the first such byte is in line 2" in said
    assert "as Windows-1252 it would read '" in said
    assert "Où ?,Élie" in said
    run_advice(said, tmp_path)
    (row,) = read_rows(tmp_path / "utf8-a.csv")
    assert row.context == "Élie est né à Besançon près de la forêt."


def test_stray_bytes_in_utf8_are_no_other_encoding(tmp_path: Path) -> None:
    rows = lines(features(fact) for fact in FACTS).encode()
    bad = json.dumps(ROW).encode().replace(b"c d", b"c \xe9")
    path = put(tmp_path, rows + bad + b"\n" + rows.replace(b'"a', b'"c').replace(b'"b', b'"d'))
    found = list(read_rows(path))
    assert len(found) == 9
    (wrong,) = [row for row in found if row.problem]
    assert wrong.problem == (
        "context holds the byte 0xe9, which is not UTF-8 (the first such byte is in line 5); "
        "save the file as UTF-8."
    )


ENCODED = {
    "cp1252": ["Élie était né à Besançon. Où est-il né ?", "Köln ist größer, die Straße schön"],
    "cp1250": ["Praha je hlavní a současně největší město České republiky"],
    "cp1251": ["Москва является столицей России и крупнейшим городом."],
    "koi8_r": ["Москва является столицей России и крупнейшим городом."],
    "cp1253": ["Η Αθήνα είναι η πρωτεύουσα της Ελλάδας"],
    "cp1254": ["İstanbul Türkiye'nin en kalabalık şehridir, ışığı güzel"],
    "cp1256": ["القاهرة هي عاصمة جمهورية مصر العربية وأكبر مدنها"],
    "shift_jis": ["東京は日本の首都であり、世界最大の都市圏です。"],
    "euc_kr": ["서울은 대한민국의 수도이다"],
    "gb18030": ["北京是中华人民共和国的首都，有很多人在这里"],
    "big5": ["臺北是中華民國的首都，有很多人在這裡"],
}


@pytest.mark.parametrize("codec", ENCODED)
def test_encodings_are_told_apart_by_their_letters(codec: str) -> None:
    for text in ENCODED[codec]:
        found = likely_encoding(f"id,context\n1,{text}\n".encode(codec))
        assert found is not None
        assert found[1] == codec


def test_utf8_is_no_other_encoding() -> None:
    assert likely_encoding(b"plain") is None
    assert likely_encoding(FACTS[2].context.encode() + b"\xe9\xe8\xe7\xe0") is None


def written(folder: Path, call: str, name: str) -> Path:
    import pandas

    frame = pandas.DataFrame([features(fact) for fact in FACTS])
    getattr(frame, call)(folder / name)
    return folder / name


def test_a_pickle_is_named_and_pandas_converts_it(tmp_path: Path) -> None:
    path = written(tmp_path, "to_pickle", "a.pkl")
    (said,) = sentences(path)
    assert "it is a pickle, which can run any program when it is opened" in said
    run_advice(said, tmp_path)
    assert [row.id for row in read_rows(tmp_path / "a.jsonl")] == [fact.id for fact in FACTS]


def test_an_orc_file_is_named_and_pandas_converts_it(tmp_path: Path) -> None:
    path = written(tmp_path, "to_orc", "a.orc")
    (said,) = sentences(path)
    assert "it is an ORC file" in said
    run_advice(said, tmp_path)
    assert [row.id for row in read_rows(tmp_path / "a.jsonl")] == [fact.id for fact in FACTS]


def test_archives_are_named_and_python_unpacks_them(tmp_path: Path) -> None:
    import shutil

    (tmp_path / "inner").mkdir()
    put(tmp_path / "inner", GOOD, "rows.jsonl")
    for kind in ("zip", "tar"):
        path = Path(shutil.make_archive(str(tmp_path / f"a-{kind}"), kind, tmp_path / "inner"))
        (said,) = sentences(path)
        assert f"a {kind} archive" in said
        run_advice(said, tmp_path)
        assert recognised(tmp_path / f"a-{kind}" / "rows.jsonl") == "jsonl"


def test_zstandard_is_named_and_pyarrow_unpacks_it(tmp_path: Path) -> None:
    import pyarrow

    path = tmp_path / "a.jsonl.zst"
    with pyarrow.output_stream(str(path), compression="zstd") as out:
        out.write(GOOD.encode())
    (said,) = sentences(path)
    assert "compressed by Zstandard" in said
    run_advice(said, tmp_path)
    assert recognised(tmp_path / "a.jsonl") == "jsonl"


def test_a_spreadsheet_is_named_and_pandas_converts_it(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="pandas writes and reads spreadsheets with openpyxl")
    import pandas

    path = tmp_path / "a.xlsx"
    pandas.DataFrame(chaii()).to_excel(path, index=False)
    (said,) = sentences(path)
    assert "it is an Excel workbook" in said
    assert "save it as CSV UTF-8" in said
    run_advice(said, tmp_path)
    rows = list(read_rows(tmp_path / "a.jsonl"))
    assert [row.answers for row in rows] == [fact.references for fact in FACTS]


def test_columns_that_pandas_wrote_are_written_as_rows_by_the_call(tmp_path: Path) -> None:
    import pandas

    frame = pandas.DataFrame([features(fact) for fact in FACTS])
    frame.to_json(tmp_path / "a.json")
    (said,) = sentences(tmp_path / "a.json")
    assert "to_json(..., orient='records', lines=True)" in said
    frame.to_json(tmp_path / "a.json", orient="records", lines=True)
    assert [row.id for row in read_rows(tmp_path / "a.json")] == [fact.id for fact in FACTS]


BINARY = {
    b"PK\x03\x04" + bytes(26) + b"[Content_Types].xmlxl/workbook.xml": "an Excel workbook",
    b"PK\x03\x04" + bytes(26) + b"word/document.xml": "a Word document",
    b"%PDF-1.7\n%\xe2\xe3": "a PDF document",
    b"<!DOCTYPE html>\n<html>": "a page in HTML",
    b'<?xml version="1.0"?><a/>': "XML",
    b"\xd0\xcf\x11\xe0\xa1\xb1": "an old Excel or Word file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x93NUMPY\x01": "a NumPy array",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n": "a pointer of Git LFS",
    b"\x89PNG\r\n\x1a\n": "a picture",
    bytes(range(20)) * 9: "a binary file of a kind that is not known",
}


@pytest.mark.parametrize("content", BINARY, ids=BINARY.values())
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    (said,) = sentences(put(tmp_path, content))
    assert f"it is {BINARY[content]}" in said
    assert "from which no rows are read; " in said


def test_damaged_columns_are_said(tmp_path: Path) -> None:
    for name, kind in (("parquet", "Parquet"), ("arrow stream", "Arrow"), ("arrow file", "Arrow")):
        path = FORMATS[name].write(tmp_path)
        path.write_bytes(path.read_bytes()[:-40])
        (said,) = sentences(path)
        assert f"{path}: not a readable {kind} file, " in said


def test_a_folder_of_several_splits_names_them(tmp_path: Path) -> None:
    import datasets

    rows = datasets.Dataset.from_list([features(fact) for fact in FACTS])
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match="it holds the splits train, test; name one of them"):
        list(read_rows(tmp_path / "saved"))
    assert len(list(read_rows(tmp_path / "saved" / "test"))) == 4
    with pytest.raises(MissingAssetError, match="is a folder, which is read if"):
        list(read_rows(tmp_path))


def test_without_pyarrow_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [FORMATS[name].write(tmp_path) for name in ("parquet", "arrow file", "save_to_disk")]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for path in paths:
        with pytest.raises(MissingAssetError, match=r"pip install 'autoqa\[parquet\]'"):
            list(read_rows(path))


# -- anything ------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.sampled_from([b"", b"question,context\n", b'{"data": [', b"[{"]))
def test_no_bytes_get_past_as_anything_but_rows_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes
) -> None:
    path = put(tmp_path_factory.mktemp("bytes"), start + data)
    assert all(isinstance(sentence, str) for sentence in sentences(path))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "answer_start", "start", "end", "labels"]), inner
        )
    ),
    max_leaves=8,
)
KEYS = [
    *("paragraphs", "qas", "context", "question", "id", "answers", "answer", "detected_answers"),
    *("header", "raw_html", "document_plaintext", "annotations", "question_text", "data", "query"),
    *("document", "text", "label", "labels", "entities", "annotator", "annotation_id", "meta"),
    *("is_impossible", "answer_text", "answers.text", "language", "title", "completions"),
]
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES)
NESTED = st.dictionaries(st.sampled_from(KEYS), VALUES | OBJECTS | st.lists(OBJECTS, max_size=2))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NESTED | VALUES, min_size=1, max_size=4))
def test_no_object_gets_past_as_anything_but_a_row_or_a_sentence(records: list[object]) -> None:
    for row in rows_from(records, "rows"):
        assert isinstance(row, RawRow)
        assert row.id
        assert row.problem or (isinstance(row.question, str) and isinstance(row.context, str))
        assert all(isinstance(text, str) for text, _ in row.answers)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"train": [ROW], "test": [ROW]}, "lists of rows by name (train, test), for train: "),
        ({"a1": ROW, "b2": ROW}, "rows by their ids (a1, b2), not a list of rows: "),
    ],
)
def test_the_command_for_rows_under_keys_works(
    document: Any, expected: str, indent: int | None, tmp_path: Path
) -> None:
    path = put(tmp_path, json.dumps(document, indent=indent), "all.json")
    with pytest.raises(DataError) as caught:
        list(read_rows(path))
    _, _, command = str(caught.value).partition(expected)
    assert command.startswith("python -c ")
    subprocess.run(command.replace("python", sys.executable, 1), shell=True, check=True)
    rows = list(read_rows(tmp_path / "rows.json"))
    assert [row.problem for row in rows] == [""] * len(rows)
    assert [row.id for row in rows] == (["a1", "b2"] if "a1" in document else ["1"])
