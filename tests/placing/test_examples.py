"""What becomes of rows: one ordered policy, counted and told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autoqa.config.problems import parse
from autoqa.errors import DataError
from autoqa.placing.examples import Examples, examples_from, settle
from autoqa.placing.options import RowOptions
from autoqa.placing.selection import selected
from autoqa.reading.rows import RawRow
from autoqa.types import Answer, Example

CONTEXT = "The mill stands by the river. The river drives the mill."
NAME = "rows.jsonl"


def row(number: int, *answers: tuple[str, int | None], **changes: Any) -> RawRow:
    plain = RawRow(f"{NAME}:{number}", f"id{number}", "What drives it?", CONTEXT, answers, "en")
    return replace(plain, **changes)


def load(*rows: RawRow, **options: Any) -> Examples:
    return examples_from(rows, RowOptions(**options), NAME)


def refusal(*rows: RawRow, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(*rows, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


GOOD = row(1, ("drives", 40))
UNUSABLE = {
    "problem": (row(2, problem="answers must be a list, found 5."), "answers must be a list"),
    "question": (row(2, ("mill", 4), question=" "), "question is empty"),
    "context": (row(2, ("mill", 4), context=""), "context is empty"),
    "id": (row(2, ("mill", 4), id=" "), "id is empty"),
    "unlabelled": (row(2, labelled=False), "it says nothing about answers"),
    "no language": (row(2, ("mill", 4), language=""), "the row names no language"),
    "language": (row(2, ("mill", 4), language="englisch!"), "did you mean 'english'"),
    "absent": (row(2, ("wheel", 4)), "expected|does not occur"),
    "empty": (row(2, (" ", 4)), "the answer is empty"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_one_bad_row_stops_a_source_only_where_that_is_wanted(case: str) -> None:
    bad, _, expected = *UNUSABLE[case], UNUSABLE[case][1].split("|")[-1]
    more = row(3, ("mill", 4))
    found = load(GOOD, bad, more)
    assert [example.id for example in found] == ["id1", "id3"]
    count, shown = found.notes
    assert count.startswith(f"{NAME}: rows dropped: 1; ")
    assert shown.startswith(f"{NAME}:2: ")
    assert expected in shown
    assert shown.endswith("; dropped.")
    for modes in ("refuse", "repair", ["repair", "refuse"]):
        sentence = refusal(GOOD, bad, more, on_mismatch=modes)
        assert sentence.startswith(f"{NAME}:2: ")
        assert any(part in sentence for part in UNUSABLE[case][1].split("|"))
    alone = refusal(bad)
    assert f"{NAME}:2: " in alone
    assert expected in alone


def test_a_language_that_most_rows_lack_is_an_option_that_was_forgotten() -> None:
    nameless = [row(number, ("mill", 4), language="") for number in (2, 3)]
    assert refusal(GOOD, *nameless).startswith(f"{NAME}:2: the row names no language; set the")
    assert len(load(GOOD, *nameless, language="en")) == 3
    assert len(load(GOOD, replace(GOOD, id="x"), *nameless)) == 2


@pytest.mark.parametrize(
    "modes", [["drop", "repair"], ["refuse", "drop"], ["repair", "repair"], [], ["mend"]]
)
def test_orders_in_which_a_mode_is_never_reached(modes: list[str]) -> None:
    with pytest.raises(ValidationError):
        RowOptions(on_mismatch=modes)  # type: ignore[arg-type]


@pytest.mark.parametrize("modes", [["repair", "drop"], ["repair", "refuse"], ["drop"], "refuse"])
def test_a_study_file_names_modes(modes: list[str] | str) -> None:
    options, problems = parse(RowOptions, {"on_mismatch": modes})
    assert problems == []
    assert options is not None
    assert options.on_mismatch == tuple([modes] if isinstance(modes, str) else modes)


def test_a_study_file_is_told_of_modes_that_are_none() -> None:
    for modes in (["drop", "repair"], []):
        _, (problem,) = parse(RowOptions, {"on_mismatch": modes})
        assert problem.startswith(f"on_mismatch: {modes} is no order that rows go through: repair")
    _, (problem,) = parse(RowOptions, {"on_mismatch": ["repair", "dorp"]})
    assert problem.startswith(
        "on_mismatch[1]: should be 'repair', 'drop' or 'refuse', not \"dorp\""
    )


def test_one_mode_needs_no_list() -> None:
    assert RowOptions.model_validate({"on_mismatch": "drop"}).on_mismatch == ("drop",)
    assert RowOptions().on_mismatch == ("repair", "drop")
    assert RowOptions.model_validate({"on_mismatch": ["repair"]}).on_mismatch == ("repair",)


def test_dropping_without_repairing_counts_what_stands_elsewhere() -> None:
    found = load(GOOD, row(2, ("drives", 41)), row(3, ("drives", None)), on_mismatch="drop")
    assert [example.id for example in found] == ["id1"]
    assert found.notes[0] == (
        f"{NAME}: rows dropped: 2; an answer is not at its offset: 1, an answer has no offset: 1."
    )
    assert found.notes[1] == (
        f"{NAME}:2: expected the answer 'drives' at character 41 of the context, found 'rives '; "
        "dropped."
    )


def test_a_few_rows_of_each_kind_are_shown() -> None:
    wrong = [row(number, ("drives", 41)) for number in range(2, 30)]
    found = load(GOOD, *wrong, row(40, ("DRIVES", 40)))
    assert found.notes[0].endswith(
        "rows repaired: 29; offset fits in no unit, nearest occurrence taken: 28, letter case: 1."
    )
    assert [note.split(": ")[0] for note in found.notes[1:]] == [
        f"{NAME}:{number}" for number in (2, 3, 4, 40)
    ]
    assert found.notes[-1].endswith(
        "expected 'DRIVES' at 40, found 'drives'; now 'drives' at character 40: letter case."
    )


HINDI = "नदी के पास राम का घर है। राम गाता है। बाद में राम सो गया।"


def test_bytes_win_over_the_nearest_occurrence() -> None:
    (example,) = load(row(1, ("राम", 27), context=HINDI, language="hi"))
    assert example.answers == (Answer("राम", 11),)
    assert example.context == HINDI


def test_bytes_do_not_win_by_one_coincidence() -> None:
    right = [
        row(n, (word, HINDI.index(word)), context=HINDI) for n, word in enumerate(HINDI.split())
    ]
    *_, last = load(*right, row(99, ("राम", 27), context=HINDI))
    assert last.answers == (Answer("राम", 25),)


@pytest.mark.parametrize("unit, codec, size", [("utf-16", "utf-16-le", 2), ("bytes", "utf-8", 1)])
@pytest.mark.parametrize("told", [True, False])
def test_every_offset_of_a_source_is_converted(
    unit: str, codec: str, size: int, told: bool
) -> None:
    context = "🙂 नदी के 🙂 पास राम का घर"
    rows = [
        row(n, (word, len(context[: context.index(word)].encode(codec)) // size), context=context)
        for n, word in enumerate(["नदी", "के", "पास", "राम", "घर"])
    ]
    options: dict[str, Any] = {"offset_unit": unit, "on_mismatch": "refuse"} if told else {}
    for example in load(*rows, **options):
        (answer,) = example.answers
        assert answer.start == context.index(answer.text)
    if told:
        wrong = refusal(*rows, row(9, ("घर", 3), context=context), **options)
        assert f"at offset (in {'UTF-16 units' if unit == 'utf-16' else 'UTF-8 bytes'}) 3" in wrong


@given(
    st.lists(
        st.lists(st.tuples(st.text(max_size=5), st.none() | st.integers(-3, 70)), max_size=2),
        max_size=5,
    ),
    st.sampled_from(["exact", "first"]),
    st.sampled_from(["auto", "utf-16", "bytes"]),
)
def test_whatever_rows_hold_answers_are_slices_and_no_row_is_lost_unseen(
    answers: list[list[tuple[str, int | None]]], offsets: Any, unit: Any
) -> None:
    rows = [row(n, *each) for n, each in enumerate(answers)]
    settled = settle(rows, RowOptions(offsets=offsets, offset_unit=unit))
    for example in settled.examples:
        assert example.context == CONTEXT
        for answer in example.answers:
            assert example.context[answer.start : answer.end] == answer.text == answer.text.strip()
    assert len(settled.examples) + settled.fates.count("dropped") == len(rows)


# -- answers without an offset -------------------------------------------------------------------

TOWNS = ["Arden", "Bolton", "Corby", "Dover", "Esher", "Frome", "Gower", "Hythe"]


def town(number: int, name: str, start: int | None) -> RawRow:
    context = (
        f"In 1999 the fair of {name} was small. The river Tarn was bridged in {name} by Smith. "
        f"Later, in 1999, the old bridge of {name} was painted red."
    )
    return row(number, ("1999", start), context=context, question="When was the bridge painted?")


def test_the_text_around_chooses_among_several_places() -> None:
    from autoqa.labels.ambiguous_answers import USUAL, find_ambiguous

    rows = [
        row(n, (f"Mr {name}", 8), context=f"Painter Mr {name} came.", question="Who came?")
        for n, name in enumerate(TOWNS)
    ]
    asked = [town(100 + n, name, (None, -1)[n % 2]) for n, name in enumerate(TOWNS)]
    found = load(*rows, *asked)
    firsts = [
        replace(example, answers=(Answer("1999", example.context.index("1999")),))
        if example.answers[0].text == "1999"
        else example
        for example in found
    ]
    placed = [USUAL.place(each) for each in find_ambiguous(firsts)]
    assert [example.answers[0].start for example in found[len(rows) :]] == [
        each.start for each in placed
    ]
    below = sum(each.confidence < 0.5 for each in placed)
    assert found.notes == (
        f"{NAME}: 8 answers without a start that occur several times were placed by the text "
        f"around them; {below} with confidence below 0.5.",
    )
    assert any(each.moved for each in placed)


def test_what_occurs_once_needs_no_offset() -> None:
    found = load(GOOD, row(2, ("by the river", None), ("drives", -1)))
    assert found[1].answers == (Answer("by the river", 16), Answer("drives", 40))
    assert found.notes == (f"{NAME}: 2 answers without a start occur once.",)
    first = load(GOOD, row(2, ("river", None)), offsets="first")
    assert (first[1].answers, first.notes) == ((Answer("river", 23),), ())


def test_only_rows_of_the_language_teach(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoqa.placing import unknown_starts

    taught: list[set[str]] = []

    class Watched(unknown_starts.Places):
        def __init__(self, examples: list[Example]) -> None:
            taught.append({example.language for example in examples})
            super().__init__(examples)

    monkeypatch.setattr(unknown_starts, "Places", Watched)
    load(GOOD, row(2, ("river", None)), row(3, ("river", 23), language="fi"))
    assert taught == [{"en"}]


def test_selected_rows_carry_what_is_wrong_with_their_language() -> None:
    bad = row(2, language="englisch!")
    read = list(selected([GOOD, bad, row(3, language="fi")], RowOptions(languages=("en",))))
    assert [(each.id, each.language) for each in read] == [("id1", "en"), ("id2", "")]
    assert "did you mean 'english'" in read[1].problem
