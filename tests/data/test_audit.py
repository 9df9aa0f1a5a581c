"""What an audit finds in rows as they stand."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer, DataError, Options, RawRow, TrainingProtocol
from autoqa.data.audit import SourceAudit, audit_study
from autoqa.data.tally import Tally
from autoqa.errors import ConfigError, PluginError
from autoqa.registry import BoundBackbone
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
    with pytest.raises(PluginError, match=r"sources\.more: the plugin 'list' .* KeyError"):
        audit_study(bound, "more")


def test_long_answers_and_several_answers_are_counted() -> None:
    rows = examples(range(10))
    again = replace(rows[0], id="again", answers=(Answer("Context", 0),))
    long = " ".join(["far"] * 90)
    rows.append(replace(rows[1], id="long", context=long, answers=(Answer(long, 0),)))
    bound = bind({"hi": [*rows, again], "exam": examples(range(20, 30))}, {"source": "exam"})
    nowhere = SimpleNamespace(name="tiny")
    tiny = BoundBackbone("tiny", nowhere, Options(), TrainingProtocol())  # type: ignore[arg-type]
    lengths, several = audit_study(replace(bound, backbones={"tiny": tiny})).answers
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


def test_a_file_that_cannot_be_read_names_source_and_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"sources\.s: .*rows\.jsonl:1: context is missing"):
        audit_study(from_file(path, language="en"))
