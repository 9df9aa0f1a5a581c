"""Ids become unique and repeated questions become one with several references."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer
from autoqa.data.checks import base_id, question_key, unique
from tests.data.stand_in import example, examples


def test_rows_that_differ_are_left_alone() -> None:
    rows = examples(range(5))
    assert unique(rows, "s") == (rows, [])


def test_rows_of_the_same_id_are_annotators_of_one_question() -> None:
    one = example(7)
    other = replace(one, answers=(Answer("has", one.context.index("has")),))
    kept, notes = unique([one, other, one], "s")
    assert [row.answers for row in kept] == [one.answers + other.answers + one.answers]
    assert notes == [
        "sources.s: repeated questions about the same context: 2; "
        "their answers became further references of the first."
    ]


def test_same_question_under_another_id_merges_too() -> None:
    one = example(7)
    other = replace(one, id="other", question="what about  q7 in HI ?")
    kept, _ = unique([one, other], "s")
    assert kept == [replace(one, answers=one.answers * 2)]


def test_same_question_about_another_context_does_not() -> None:
    one = example(7)
    other = replace(one, id="other", context=one.context + " More.")
    assert len(unique([one, other], "s")[0]) == 2


def test_further_questions_under_one_id_get_ids_of_their_own() -> None:
    one = example(7)
    taken = replace(example(6), id=f"{one.id}#2")
    rows = [one, replace(example(8), id=one.id), taken, replace(example(9), id=one.id), one]
    kept, notes = unique(rows, "s")
    assert [row.id for row in kept] == [one.id, f"{one.id}#2", f"{one.id}#2#2", f"{one.id}#3"]
    assert [row.question for row in kept[:2]] == [one.question, example(8).question]
    assert notes[1] == (
        "sources.s: rows with the id of another question: 3; "
        "they are now called id#2, id#3 and so on."
    )


def test_translations_keep_their_id_and_name_their_language() -> None:
    hindi, english, alone = example(1), example(1, language="en"), example(2)
    english = replace(english, id=hindi.id)
    kept, notes = unique([hindi, english, alone], "s")
    assert [row.id for row in kept] == [f"{hindi.id}@hi", f"{hindi.id}@en", alone.id]
    assert {base_id(row) for row in kept} == {hindi.id, alone.id}
    assert notes == [
        "sources.s: ids that stand in several languages: 1; those rows are now called id@language."
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["hi", "en"])), max_size=20))
def test_ids_are_unique_whatever_repeats(picks: list[tuple[int, str]]) -> None:
    rows = [replace(example(n, language=lang), id=f"id{n}") for n, lang in picks]
    kept, _ = unique(rows, "s")
    assert len({row.id for row in kept}) == len(kept) == len(set(picks))


@pytest.mark.parametrize("mark", ["?", " ?", "", "？", "؟", "।"])
def test_question_key_ignores_marks_case_and_space(mark: str) -> None:
    assert question_key(f"Who  was\tIT{mark}") == question_key("who was it?")
