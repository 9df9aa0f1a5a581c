"""The file source: what it reads, and what it says about files it cannot use."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from autoqa_sources.file import FileOptions, load, missing
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from autoqa.api import Answer, DataError, Example, MissingAssetError
from autoqa.reading import languages

CONTEXT = "नदी का नाम गंगा है और गंगा उत्तर में बहती है।"


def row(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": "a",
        "question": "नदी का नाम क्या है?",
        "context": CONTEXT,
        "answers": {"text": ["गंगा"], "answer_start": [11]},
        "language": "hi",
    }
    return fields | changes


def lines(folder: Path, *rows: object, name: str = "rows.jsonl") -> str:
    path = folder / name
    path.write_text("\n".join(json.dumps(content, ensure_ascii=False) for content in rows), "utf-8")
    return str(path)


def squad(folder: Path, *articles: dict[str, Any], name: str = "squad.json") -> str:
    path = folder / name
    path.write_text(json.dumps({"version": "2", "data": articles}), "utf-8")
    return str(path)


def article(qas: list[dict[str, Any]], context: str = CONTEXT, **more: Any) -> dict[str, Any]:
    return {"paragraphs": [{"context": context, "qas": qas}], **more}


def qa(**changes: Any) -> dict[str, Any]:
    fields = {"id": "a", "question": "क्या?", "answers": [{"text": "गंगा", "answer_start": 11}]}
    return fields | changes


def message(**options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(FileOptions(**options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- formats -------------------------------------------------------------------------------------


def test_all_formats_give_the_same_example(tmp_path: Path) -> None:
    plain = lines(tmp_path, row())
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(Path(plain).read_bytes()))
    table = tmp_path / "rows.csv"
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "context", "question", "answer_text", "answer_start", "language"])
        writer.writerow(["a", CONTEXT, row()["question"], "गंगा", 11, "hindi"])
    parquet = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row()]), parquet)
    expected = load(FileOptions(path=plain))
    assert expected[0].answers == (Answer("गंगा", 11),)
    assert expected[0].language == "hi"
    for path in (packed, table, parquet):
        assert load(FileOptions(path=str(path))) == expected


def test_squad_documents_are_titles_or_numbers(tmp_path: Path) -> None:
    path = squad(tmp_path, article([qa(), qa(id="b")], title="Ganga"), article([qa(id="c")]))
    examples = load(FileOptions(path=path, language="Hindi"))
    assert [example.document for example in examples] == ["Ganga", "Ganga", "squad.json#1"]
    assert {example.language for example in examples} == {"hi"}


def test_squad_v2_impossible_question_has_no_answers(tmp_path: Path) -> None:
    impossible = qa(id="b", is_impossible=True, answers=[], plausible_answers=[{"text": "x"}])
    examples = load(FileOptions(path=squad(tmp_path, article([qa(), impossible])), language="hi"))
    assert [len(example.answers) for example in examples] == [1, 0]


def test_document_is_a_hash_of_the_context_unless_the_row_names_one(tmp_path: Path) -> None:
    path = lines(tmp_path, row(), row(id="b", title="Ganga"), row(id="c", context=CONTEXT + " अ"))
    first, second, third = load(FileOptions(path=path))
    assert first.document.startswith("context-")
    assert second.document == "Ganga"
    assert third.document not in (first.document, second.document)


def test_glob_reads_all_files_in_order(tmp_path: Path) -> None:
    lines(tmp_path, row(id="b"), name="2.jsonl")
    lines(tmp_path, row(), name="1.jsonl")
    examples = load(FileOptions(path=str(tmp_path / "*.jsonl")))
    assert [example.id for example in examples] == ["a", "b"]


def test_line_separator_inside_a_string_does_not_end_the_line(tmp_path: Path) -> None:
    path = lines(tmp_path, row(context=CONTEXT + "\u2028\x85 अंत"))
    assert len(load(FileOptions(path=path))) == 1


# A file in which a tenth of the bytes are control characters is refused as a binary one.
CONTROL = "".join(map(chr, set(range(32)) - {9, 10, 13}))
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters=CONTROL), min_size=1)


@given(before=TEXT, answer=TEXT.filter(str.strip), after=TEXT)
def test_any_text_survives_the_trip_through_lines_and_csv(
    tmp_path_factory: pytest.TempPathFactory, before: str, answer: str, after: str
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    context = before + answer + after
    given = {"text": [answer], "answer_start": [len(before)]}
    expected = Answer(answer, len(before))
    plain = lines(folder, row(context=context, answers=given))
    (example,) = load(FileOptions(path=plain, on_mismatch="refuse"))
    assert (example.context, example.answers) == (context, (expected,))
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "context", "question", "answer_text", "answer_start"])
    writer.writerow(["a", context, "q", answer, len(before)])
    (folder / "rows.csv").write_bytes(text.getvalue().encode())
    table = str(folder / "rows.csv")
    (example,) = load(FileOptions(path=table, language="hi", on_mismatch="refuse"))
    assert (example.context, example.answers) == (context, (expected,))


# -- offsets -------------------------------------------------------------------------------------


def test_wrong_offset_names_file_line_expected_and_found(tmp_path: Path) -> None:
    path = lines(tmp_path, row(), row(id="b", answers={"text": ["गंगा"], "answer_start": [12]}))
    sentence = message(path=path, on_mismatch="refuse")
    assert sentence.startswith(f"{path}:2: expected the answer 'गंगा' at character 12")
    assert repr(CONTEXT[12:16]) in sentence
    assert "on_mismatch" in sentence


@pytest.mark.parametrize("start", [-35, 10**9])
def test_offset_outside_the_context_is_refused(tmp_path: Path, start: int) -> None:
    path = lines(tmp_path, row(answers={"text": ["गंगा"], "answer_start": [start]}))
    assert f"at character {start}" in message(path=path, on_mismatch="refuse")


def test_repair_takes_the_nearest_occurrence_and_strips(tmp_path: Path) -> None:
    second = CONTEXT.rindex("गंगा")
    path = lines(
        tmp_path,
        row(answers={"text": ["गंगा"], "answer_start": [second - 2]}),
        row(id="b", answers={"text": [" गंगा "], "answer_start": [10]}),
        row(id="c"),
    )
    examples = load(FileOptions(path=path, on_mismatch="repair"))
    assert [example.answers[0] for example in examples] == [
        Answer("गंगा", second),
        Answer("गंगा", 11),
        Answer("गंगा", 11),
    ]
    count, moved, shortened = examples.notes
    assert count == (
        f"{path}: rows repaired: 2; offset fits in no unit, nearest occurrence taken: 1, "
        "white space at its ends: 1."
    )
    assert moved == (
        f"{path}:1: expected 'गंगा' at {second - 2}, found {CONTEXT[second - 2 : second + 2]!r}; "
        f"now 'गंगा' at character {second}: offset fits in no unit, nearest occurrence taken."
    )
    assert shortened.startswith(f"{path}:2: expected ' गंगा ' at 10, found ' गंगा '; now 'गंगा'")


@example(words=["aa", "b", "ba"], start=3, pick=1, pad="\n ")  # Both readings of the offset fit.
@given(
    words=st.lists(st.sampled_from(["aa", "ab", "ba", "b"]), min_size=1, max_size=12),
    start=st.integers(-5, 40),
    pick=st.integers(0, 11),
    pad=st.sampled_from(["", " ", "\n "]),
)
def test_repair_always_ends_at_an_occurrence_and_at_none_farther(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], start: int, pick: int, pad: str
) -> None:
    context, answer = " ".join(words), words[pick % len(words)]
    given = {"text": [pad + answer], "answer_start": [start]}
    path = lines(tmp_path_factory.mktemp("repair"), row(context=context, answers=given))
    options = FileOptions(path=path, on_mismatch="repair", offset_unit="code-points")
    (example,) = load(options)
    (placed,) = example.answers
    assert placed.text == answer
    assert context[placed.start : placed.end] == answer
    places = [i for i in range(len(context)) if context.startswith(answer, i)]
    for wanted in (start, start + len(pad)):
        if wanted in places and start >= 0:
            assert placed.start == wanted
            return
    wanted = start + len(pad)
    if start != -1:  # that is, unknown
        assert abs(placed.start - wanted) == min(abs(place - wanted) for place in places)


def test_repair_refuses_what_does_not_occur(tmp_path: Path) -> None:
    path = lines(tmp_path, row(answers={"text": ["यमुना"], "answer_start": [3]}))
    assert "'यमुना' does not occur" in message(path=path, on_mismatch="repair")


def test_drop_counts_rows(tmp_path: Path) -> None:
    path = lines(tmp_path, row(), row(id="b", answers={"text": ["यमुना"], "answer_start": [3]}))
    examples = load(FileOptions(path=path, on_mismatch="drop"))
    assert [example.id for example in examples] == ["a"]
    assert examples.notes == (
        f"{path}: rows dropped: 1; an answer is not at its offset: 1.",
        f"{path}:2: expected the answer 'यमुना' at character 3 of the context, found "
        f"{CONTEXT[3:8]!r}; dropped.",
    )


def test_dropping_every_row_is_an_error(tmp_path: Path) -> None:
    path = lines(tmp_path, row(answers={"text": ["यमुना"], "answer_start": [3]}))
    assert "none of its 1 rows is left" in message(path=path, on_mismatch="drop")


def test_first_puts_answers_at_their_first_occurrence(tmp_path: Path) -> None:
    second = CONTEXT.rindex("गंगा")
    path = lines(
        tmp_path,
        row(answers={"text": ["गंगा"], "answer_start": [second]}),
        row(id="b", answers={"text": ["गंगा"]}),
    )
    examples = load(FileOptions(path=path, offsets="first"))
    assert [example.answers[0].start for example in examples] == [11, 11]


def test_answers_without_offsets_are_refused_where_nothing_may_be_repaired(tmp_path: Path) -> None:
    path = lines(tmp_path, row(answers={"text": ["गंगा"]}))
    assert 'offsets = "first"' in message(path=path, on_mismatch="refuse")


def test_an_empty_answer_is_none_unless_it_stands_somewhere(tmp_path: Path) -> None:
    path = lines(tmp_path, row(answers={"text": [""], "answer_start": [0]}))
    assert load(FileOptions(path=path))[0].answers == ()
    path = lines(tmp_path, row(answers={"text": [""], "answer_start": [3]}))
    assert "the answer is empty" in message(path=path)


def test_a_row_that_says_nothing_about_answers_is_refused(tmp_path: Path) -> None:
    bare = {key: value for key, value in row().items() if key != "answers"}
    path = lines(tmp_path, row(), bare | {"id": "b"})
    found = message(path=path, on_mismatch="refuse")
    assert found.startswith(f"{path}:2: it says nothing about answers; give it")


def test_rows_without_ids_of_several_files_have_ids_of_their_own(tmp_path: Path) -> None:
    bare = {key: value for key, value in row().items() if key != "id"}
    (tmp_path / "more").mkdir()
    for folder, name in ((tmp_path, "a.jsonl"), (tmp_path / "more", "a.jsonl")):
        lines(folder, bare, row(id="named"), name=name)
    one = load(FileOptions(path=str(tmp_path / "a.jsonl")))
    assert [example.id for example in one] == ["1", "named"]
    both = load(FileOptions(path=str(tmp_path / "**" / "*.jsonl")))
    assert [example.id for example in both] == ["a.jsonl#1", "named", "more/a.jsonl#1", "named"]


def test_columns_and_delimiter_are_options(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("guid^q^passage^gold\nx^why^because;^cause\n")
    columns = {"id": "guid", "question": "q", "context": "passage", "answer_text": "gold"}
    options = {"path": str(path), "columns": columns, "delimiter": "^", "language": "en"}
    (example,) = load(FileOptions(**options, offsets="first"))
    assert (example.id, example.context, example.answers) == (
        "x",
        "because;",
        (Answer("cause", 2),),
    )
    with pytest.raises(ValidationError, match="did you mean 'context'"):
        FileOptions(path="x", columns={"contxt": "a"})
    with pytest.raises(ValidationError, match="did you mean 'squad'"):
        FileOptions(path="x", format="squat")
    with pytest.raises(ValidationError, match="must be one character"):
        FileOptions(path="x", delimiter="::")


def test_a_saved_folder_is_a_file_and_so_are_those_of_a_pattern(tmp_path: Path) -> None:
    import datasets

    for name in ("one", "two"):
        datasets.Dataset.from_list([row(id=name)]).save_to_disk(tmp_path / name)
    assert [each.id for each in load(FileOptions(path=str(tmp_path / "one")))] == ["one"]
    assert [each.id for each in load(FileOptions(path=str(tmp_path / "*")))] == ["one", "two"]
    assert missing(FileOptions(path=str(tmp_path / "one"))) is None


def test_what_has_parquet_inside_needs_pyarrow_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.data"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row()]), path)
    assert missing(FileOptions(path=str(path))) is None
    monkeypatch.setattr("autoqa.reading.columnar.find_spec", lambda name: None)
    assert "pip install 'autoqa[parquet]'" in str(missing(FileOptions(path=str(path))))
    assert missing(FileOptions(path=lines(tmp_path, row()))) is None


# -- languages -----------------------------------------------------------------------------------


def test_languages_filter(tmp_path: Path) -> None:
    path = lines(tmp_path, row(), row(id="b", language="tamil"), row(id="c", language="bn_IN"))
    examples = load(FileOptions(path=path, languages=("Tamil", "bn")))
    assert [(example.id, example.language) for example in examples] == [("b", "ta"), ("c", "bn")]
    assert "the 3 rows are in bn, hi, ta" in message(path=path, languages=("te",))


def test_language_comes_from_a_tydi_id(tmp_path: Path) -> None:
    bare = {key: value for key, value in row().items() if key != "language"}
    path = lines(tmp_path, bare | {"id": "telugu--2245295572008910947-0"})
    assert load(FileOptions(path=path))[0].language == "te"


def test_row_without_language_says_how_to_set_it(tmp_path: Path) -> None:
    bare = {key: value for key, value in row().items() if key != "language"}
    path = lines(tmp_path, bare)
    assert 'language = "hi"' in message(path=path)
    assert load(FileOptions(path=path, language="hindi"))[0].language == "hi"


def test_unknown_language_suggests_a_near_one(tmp_path: Path) -> None:
    assert "did you mean 'tamil' ('ta')" in message(path=lines(tmp_path, row(language="tamill")))
    with pytest.raises(ValidationError, match="did you mean 'hindi'"):
        FileOptions(path="x", language="hindii")


@pytest.mark.parametrize("name", sorted(set(languages.CODES)))
def test_names_and_codes_agree(name: str) -> None:
    assert languages.code(name.upper()) == languages.code(languages.CODES[name])


# -- broken files --------------------------------------------------------------------------------


def test_missing_file_names_near_ones(tmp_path: Path) -> None:
    lines(tmp_path, row(), name="train.jsonl")
    for name in ("trian.jsonl", "tra*.json"):
        options = FileOptions(path=str(tmp_path / name))
        with pytest.raises(MissingAssetError, match=r"train\.jsonl"):
            load(options)
        sentence = missing(options)
        assert sentence is not None
        assert "train.jsonl" in sentence
    assert missing(FileOptions(path=str(tmp_path / "train.jsonl"))) is None
    assert "no folder" in str(missing(FileOptions(path=str(tmp_path / "no" / "train.jsonl"))))
    assert "is a folder" in str(missing(FileOptions(path=str(tmp_path))))


def test_parquet_without_pyarrow_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row()]), path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingAssetError, match="needs the package pyarrow"):
        load(FileOptions(path=str(path)))


def test_missing_field_suggests_the_one_that_was_meant(tmp_path: Path) -> None:
    fields = row()
    fields["contexts"] = fields.pop("context")
    assert "context is missing" in message(path=lines(tmp_path, fields))
    assert "is 'contexts' meant?" in message(path=lines(tmp_path, fields))


def test_csv_errors_name_the_line_a_record_begins_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "id,context,question,answer_text,answer_start\n"
        'a,"one\ntwo",q,two,4\nb,"one\ntwo",q,two,five\n',
        "utf-8",
    )
    sentence = message(path=str(path), language="en", on_mismatch="refuse")
    assert sentence == f"{path}:4: answer_start must be a whole number, found 'five'."


# -- real data -----------------------------------------------------------------------------------


def starts_are_exact(examples: list[Example]) -> bool:
    return all(
        example.context.startswith(answer.text, answer.start)
        for example in examples
        for answer in example.answers
    )


def test_squad_has_all_its_rows_and_exact_offsets(data_folder: Path) -> None:
    examples = load(FileOptions(path=str(data_folder / "squad.en.train.jsonl.gz")))
    assert len(examples) == 78_795
    assert starts_are_exact(examples)


def test_chaii_csv_and_xquad_json_hold_the_same_questions(data_folder: Path) -> None:
    table = load(FileOptions(path=str(data_folder / "chaii-format.hi.csv")))
    xquad = load(FileOptions(path=str(data_folder / "xquad.hi.*.json"), language="hi"))
    assert {example.language for example in table} == {"hi"}
    assert [(example.id, example.answers) for example in table] == [
        (example.id, example.answers) for example in xquad
    ]
    assert len({example.document for example in xquad}) == 24


def test_covid_qa_is_refused_repaired_or_dropped(data_folder: Path) -> None:
    path = str(data_folder / "covid-qa.original.json")
    assert "data[3].paragraphs[0].qas[5] (id 1719)" in message(
        path=path, language="en", on_mismatch="refuse"
    )
    repaired = load(FileOptions(path=path, language="en"))
    assert len(repaired) == 1380
    assert starts_are_exact(repaired)
    assert all(a.text == a.text.strip() for example in repaired for a in example.answers)
    # One article has white space in front that its offsets leave out; the other wrong ones are
    # those of answers without the white space in front of them.
    assert repaired.notes[0] == (
        f"{path}: rows repaired: 418; white space at its ends: 393, "
        "offset in code points, without leading white space: 38."
    )
    dropped = load(FileOptions(path=path, language="en", on_mismatch="drop"))
    assert len(dropped) == 1380 - 234


def test_first_occurrence_moves_some_of_the_true_offsets(data_folder: Path) -> None:
    path = str(data_folder / "chaii-format.hi.csv")
    true = load(FileOptions(path=path))
    first = load(FileOptions(path=path, offsets="first"))
    moved = sum(a.answers != b.answers for a, b in zip(true, first, strict=True))
    assert 20 < moved < 200


def test_the_language_stands_in_the_name(tmp_path: Path) -> None:
    for spoken in ("hi", "en", "xx", "readme"):
        squad(tmp_path, article([qa()], title="River"), name=f"rivers.{spoken}.json")
    pattern = str(tmp_path / "rivers.{language}.json")
    examples = load(FileOptions(path=pattern, languages=("hi", "en")))
    assert [(example.language, example.document) for example in examples] == [
        ("en", "River"),
        ("hi", "River"),
    ]
    assert missing(FileOptions(path=pattern)) is None
    with pytest.raises(MissingAssetError, match=r"no file matches .*lakes"):
        load(FileOptions(path=str(tmp_path / "lakes.{language}.json")))


def test_a_row_knows_its_language_better_than_the_name(tmp_path: Path) -> None:
    lines(tmp_path, row(language="hi"), row(id="b", language=""), name="rows.ta.jsonl")
    examples = load(FileOptions(path=str(tmp_path / "ro*.{language}.jsonl")))
    assert [example.language for example in examples] == ["hi", "ta"]
