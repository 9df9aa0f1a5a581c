"""What an audit finds in rows as they stand."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer, BackboneFacts, Options, RawRow, TrainingProtocol
from autoqa.data.audit import SourceAudit, audit_study
from autoqa.data.tally import Tally
from autoqa.errors import ConfigError
from autoqa.placing.repair import ABSENT, NEAREST
from autoqa.registry import BoundBackbone
from autoqa.report.audit import audit_sentences, source_sentences
from autoqa.report.audit_page import audit_page
from tests.data.stand_in import BoundStudy, bind, examples

CONTEXT = "The mill stands by the river. The river drives the mill."


def row(number: int = 0, *answers: tuple[str, int | None], **changes: Any) -> RawRow:
    plain = RawRow(f"f:{number}", f"id{number}", "What drives it?", CONTEXT, answers, "en", "d")
    return replace(plain, **({"question": f"What drives mill {number}?"} | changes))


def tally(*rows: RawRow) -> SourceAudit:
    found = Tally("s")
    for each in rows:
        found.add(each)
    return found.result()


@pytest.mark.parametrize(
    "bad, kinds",
    [
        (row(1, ("drives", 40)), []),
        (row(1, ("drives", 41)), ["offset"]),
        (row(1, ("drives", -3)), ["offset"]),
        (row(1, ("drives", None)), ["no_offset"]),
        (row(1, ("drives", -1)), ["no_offset"]),
        (row(1, ("DRIVES", 40)), ["form", "offset"]),
        (row(1, labelled=False), ["unlabelled"]),
        (row(1, problem="answers must be a list, found 5."), ["unusable"]),
        (row(1, ("wheel", 4)), ["absent", "offset"]),
        (row(1, ("drives ", 40)), ["blank"]),
        (row(1, ("river", 23)), ["several"]),
        (row(1, (" ", 3)), ["empty"]),
        (row(1, question=" "), ["empty"]),
        (row(1, question="Что движет мельницу?"), ["question_script"]),
        (row(1, language="hi"), ["question_script", "context_script"]),
        (row(1, language="xx"), []),
        (row(1), []),
    ],
)
def test_each_fault_is_found_and_shown(bad: RawRow, kinds: list[str]) -> None:
    found = tally(bad)
    assert sorted(found.findings) == sorted(kinds)
    for kind in kinds:
        (sample,) = found.samples[kind]
        assert (sample.where, sample.id) == ("f:1", "id1")
        shown = sample.before + sample.span + sample.after
        assert shown in CONTEXT


def test_a_wrong_offset_shows_what_stands_there() -> None:
    (sample,) = tally(row(1, ("drives", 41))).samples["offset"]
    assert sample.span == "rives "
    assert sample.note == "expected 'drives' at 41, found 'rives '"


def test_repeated_rows() -> None:
    first = row(1, ("drives", 40))
    found = tally(
        first,
        replace(first, id="other", question="what DRIVES mill 1"),
        replace(first, id="third", answers=(("mill", 4),)),
        replace(row(2), id=first.id),
    )
    assert {kind: found.findings[kind] for kind in ("duplicate", "contradiction", "id")} == {
        "duplicate": 1,
        "contradiction": 1,
        "id": 1,
    }
    assert found.samples["contradiction"][0].note == "an earlier such row answers: drives"


def test_counts_and_lengths() -> None:
    found = tally(row(1, ("drives", 40), ("river", 33)), row(2), row(3, language="fi"))
    assert (found.rows, found.contexts, found.documents, found.answers) == (3, 1, 1, 2)
    assert found.unanswerable == 2
    assert found.languages == {"en": 2, "fi": 1}
    assert found.lengths["context"].characters == (len(CONTEXT),) * 5
    assert found.lengths["context"].words == (11,) * 5
    assert found.letters["en"] == {"LATIN": 1.0}


@given(st.lists(st.tuples(st.text(max_size=9), st.none() | st.integers(-5, 99)), max_size=3))
def test_any_answers_can_be_counted(answers: Sequence[tuple[str, int | None]]) -> None:
    found = tally(row(1, *answers))
    assert found.answers == len(answers)
    assert bool(found.unanswerable) is not bool(answers)


# -- whole studies -------------------------------------------------------------------------------


def test_sources_are_compared_and_none_is_refused() -> None:
    target = examples(range(10))
    found = audit_study(bind({"hi": target, "more": target[:3]}, {"source": "hi"}))
    assert [each.rows for each in found.sources] == [10, 3]
    (pair,) = found.shared
    assert (pair.source, pair.held_source, pair.rows) == ("more", "hi", {"context": 3})
    assert found.rows == 13


def test_one_source_only() -> None:
    bound = bind({"hi": examples(range(10)), "more": _broken}, {"source": "hi"})
    assert [each.name for each in audit_study(bound, "hi").sources] == ["hi"]
    with pytest.raises(ConfigError, match=r"--source 'mor': .* did you mean 'more'"):
        audit_study(bound, "mor")


def test_a_source_that_cannot_be_read_is_told_and_the_others_audited(tmp_path: Path) -> None:
    bound = bind({"more": _broken, "hi": examples(range(10))}, {"source": "hi"})
    found = audit_study(bound)
    more, hi = found.sources
    assert more.unreadable.startswith("sources.more: the plugin 'list' failed while loading, Key")
    assert (more.rows, hi.rows, hi.unreadable) == (1, 10, "")
    assert (found.exit_code, hi.exit_code) == (3, 0)
    lines = audit_sentences(found)
    assert lines[0] == f"more: cannot be read, after 1 rows: {more.unreadable}"
    assert lines[-1] == "study study: sources 2 (1 cannot be read), rows 11"
    assert "cannot be read" in audit_page(found)
    absent = audit_study(from_file(tmp_path / "none.jsonl"))
    assert absent.exit_code == 4
    assert "there is no file" in absent.sources[0].unreadable


def test_long_answers_and_several_answers_are_counted() -> None:
    rows = examples(range(10))
    again = replace(rows[0], id="again", answers=(Answer("Context", 0),))
    long = " ".join(["far"] * 90)
    rows.append(replace(rows[1], id="long", context=long, answers=(Answer(long, 0),)))
    bound = bind({"hi": [*rows, again], "exam": examples(range(20, 30))}, {"source": "exam"})
    nowhere = SimpleNamespace(name="tiny", facts=lambda _: BackboneFacts())
    tiny = BoundBackbone("tiny", nowhere, Options(), TrainingProtocol())  # type: ignore[arg-type]
    lengths, several, _ = audit_study(replace(bound, backbones={"tiny": tiny})).answers
    assert lengths.endswith("hi 90 (longest 90), exam 1 (longest 1)")
    assert several == (
        "recipe.answers = 'first': rows with several different answers, of which training sees the "
        "first: hi 1"
    )


def _broken(options: object) -> Any:
    yield from examples([1])
    raise KeyError("answers")


def from_file(path: Path, **options: Any) -> BoundStudy:
    from autoqa_sources.file import FileOptions, spec

    bound = bind({"s": []}, {"source": "s"})
    source = replace(bound.sources["s"], spec=spec, options=FileOptions(path=str(path), **options))
    return replace(bound, sources={"s": source})


def test_rows_that_loading_refuses_are_reported(data_folder: Path) -> None:
    path = data_folder / "covid-qa.original.json"
    (source,) = audit_study(from_file(path, language="en")).sources
    assert source.rows == 1380
    assert (source.findings["offset"], source.findings["blank"]) == (234, 393)
    assert source.samples["offset"][0].where.startswith(str(path))


def test_duplicates_and_white_space_of_real_rows(data_folder: Path) -> None:
    (source,) = audit_study(from_file(data_folder / "tydiqa-goldp.id.train.jsonl.gz")).sources
    assert source.findings["duplicate"] + source.findings["contradiction"] == 157
    (source,) = audit_study(from_file(data_folder / "tydiqa-goldp.en.train.jsonl.gz")).sources
    assert source.findings["blank"] == 12


def test_a_file_that_cannot_be_read_names_the_source(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"")
    found = audit_study(from_file(path, language="en"))
    assert found.exit_code == 2
    assert found.sources[0].unreadable.startswith(f"sources.s: {path}")


# -- what is wrong with many rows ----------------------------------------------------------------


def test_problems_are_counted_by_what_they_have_in_common() -> None:
    problems = ["answers must be a list, found 5.", "answers must be a list, found 'x, y'."]
    problems += ["language 'klingon' is not known."]
    found = tally(*(row(n, problem=problem) for n, problem in enumerate(problems * 3)), row(50))
    assert (found.rows, found.findings) == (10, {"unusable": 9})
    assert found.problems == {"answers must be a list": 6, "language … is not known": 3}
    assert [sample.where for sample in found.samples["unusable"]] == ["f:0", "f:1", "f:2", "f:5"]
    first, second = source_sentences(found)
    assert first == (
        "s: 6 rows cannot be used: answers must be a list; the first is "
        "f:0: answers must be a list, found 5."
    )
    assert second.endswith("the first is f:2: language 'klingon' is not known.")


def test_offsets_in_another_unit_are_told() -> None:
    context = "🙂 the mill 🙂 by the river"
    words = {"mill": 7, "river": 22}
    found = tally(*(row(n, each, context=context) for n, each in enumerate(words.items())))
    assert found.findings["offset"] == 2
    assert source_sentences(found) == [
        "s: 0 of 2 offsets fit when counted in code points",
        "s: 2 of 2 offsets fit when counted in UTF-16 units",
    ]
    known = Tally("s", "utf-16")
    known.add(row(1, ("mill", 7), context=context))
    assert known.result().findings == {}
    assert source_sentences(known.result()) == []


def test_it_says_what_a_search_would_make_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    answers = [("mill", 4), ("mill", 5), ("mills", 4)]
    rows = [
        {"id": str(n), "question": f"{n}?", "context": CONTEXT}
        | {"answers": {"text": [text], "answer_start": [start]}}
        for n, (text, start) in enumerate(answers)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (source,) = audit_study(from_file(path, language="en")).sources
    assert source.loading is not None
    assert source.loading.repaired == {NEAREST: 1}
    assert source.loading.dropped == {ABSENT: 1}
    assert source_sentences(source)[-2:] == [
        f"s: in a search, rows are repaired; {NEAREST}: 1",
        f"s: in a search, rows are dropped; {ABSENT}: 1",
    ]
    refused = audit_study(from_file(path, language="en", on_mismatch="refuse"))
    assert source_sentences(refused.sources[0])[-1].startswith(
        f"s: a search refuses it: {path}:2: expected the answer 'mill' at character 5"
    )
