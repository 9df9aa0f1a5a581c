"""What counts as a copy of the validation set."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer, Example
from autoqa.data.near import NearIndex, Sketches, share
from autoqa.data.overlap import Leak, Overlap, between
from tests.data.stand_in import example

SENTENCES = [
    "The river rises in the mountains of the far north",
    "It passes four towns on its way to the southern sea",
    "Its water is used for rice fields and for two large mills",
    "Every spring the snow of the highlands makes it rise",
]
CONTEXT = ". ".join(SENTENCES) + "."


def reason(context: str, held: str = CONTEXT) -> str | None:
    overlap = Overlap([example(1, context=held, answers=())])
    found = overlap.find([example(2, prefix="t", context=context, answers=())])
    return found[0].reason if found else None


def edited(text: str, seed: int, share: float = 0.1) -> str:
    """The text after random substitutions, insertions and deletions of characters."""
    rng, out = random.Random(seed), list(text)
    for _ in range(round(share * len(text))):
        at, kind = rng.randrange(len(out)), rng.randrange(3)
        out[at : at + (kind != 1)] = rng.choice(text) if kind else ""
    return "".join(out)


def test_white_space_does_not_make_another_context() -> None:
    assert reason(CONTEXT.replace(" ", "  ") + "\n") == "context"


def test_reference_marks_and_a_changed_sentence_do_not_hide_a_copy() -> None:
    assert reason(CONTEXT.replace("north.", "north.[12]:5").replace("four", "five")) == "text"


def test_an_article_that_holds_the_paragraph_is_a_copy() -> None:
    article = " ".join(f"This is sentence number {n} of a long article." for n in range(99))
    assert reason(f"{article} {CONTEXT} {article}") == "text"


def test_a_paragraph_cut_from_a_validated_article_is_a_copy() -> None:
    article = " ".join(f"This is sentence number {n} of a long article." for n in range(99))
    assert reason(CONTEXT, held=f"{article} {CONTEXT}") == "text"


def test_one_phrase_in_common_is_no_copy() -> None:
    other = f"{SENTENCES[0]}. Nothing else here is told about anything that the other text tells."
    assert reason(other) is None
    assert reason(f"{SENTENCES[0]}.") is None


@pytest.mark.parametrize("seed", range(20))
def test_every_tenth_character_changed_hides_neither_context_nor_question(seed: int) -> None:
    assert reason(edited(CONTEXT, seed)) == "text"
    article = " ".join(f"This is sentence number {n} of a long article." for n in range(99))
    assert reason(f"{article} {edited(CONTEXT, seed)} {article}") == "text"
    held = example(1, question="Which towns does the river pass on its way to the sea?")
    other = example(1, prefix="t", question=edited(held.question, seed), answers=held.answers)
    (leak,) = Overlap([held]).find([other]).values()
    assert (leak.reason, leak.held) == ("question", held.id)
    assert leak.share >= 0.8


def test_a_leak_names_both_rows() -> None:
    held = replace(example(1, context=CONTEXT, answers=()), source="exam")
    row = replace(example(2, prefix="t", context=CONTEXT, answers=()), source="train")
    assert Overlap([held]).find([example(5), row]) == {
        1: Leak("train", row.id, "exam", held.id, "context", 1.0)
    }


@given(st.lists(st.sampled_from(SENTENCES), min_size=3, max_size=4, unique=True), st.integers(0, 9))
def test_share_is_symmetric_and_what_the_index_tells(parts: list[str], seed: int) -> None:
    text, other = ". ".join(parts), edited(CONTEXT, seed)
    assert share(text, other) == share(other, text)
    found = list(NearIndex([other], Sketches()).find([text]))
    assert [(one.text, one.held, one.share) for one in found] in (
        [],
        [(0, 0, share(text, other))],
    )


def test_order_of_texts_and_other_texts_in_the_index_change_nothing() -> None:
    texts = [CONTEXT, edited(CONTEXT, 1), *(f"Wholly another text, {n}. " * 5 for n in range(40))]
    pairs = {(texts[a], texts[b]) for a, b, _ in NearIndex(texts).find(texts)}
    turned = texts[::-1]
    assert {(turned[a], turned[b]) for a, b, _ in NearIndex(turned).find(turned)} == pairs
    assert (texts[0], texts[1]) in pairs
    assert (texts[0], texts[2]) not in pairs


def test_row_numbers_are_no_ids() -> None:
    overlap = Overlap([replace(example(1), id="17"), replace(example(2), id="5725b33f6a3fe7140")])
    rows = [example(3, prefix="t"), example(4, prefix="t")]
    found = overlap.find([replace(rows[0], id="17"), replace(rows[1], id="5725b33f6a3fe7140@hi")])
    assert {row: leak.reason for row, leak in found.items()} == {1: "id"}


@pytest.mark.parametrize("answer, removed", [("answer1", True), ("Context", False)])
def test_same_question_counts_only_with_the_same_answer(answer: str, removed: bool) -> None:
    held = example(1)
    context = f"Context: {answer}"
    other: Example = example(1, prefix="t", context=context, question=held.question, answers=())
    other = replace(other, answers=(Answer(answer, context.rindex(answer)),))
    found = Overlap([held]).find([other])
    assert [leak.reason for leak in found.values()] == (["question"] if removed else [])


def test_between_sources_the_later_one_is_named_first() -> None:
    one = replace(example(1, context=CONTEXT, answers=()), source="one")
    two = replace(example(2, context=edited(CONTEXT, 3), answers=(), prefix="t"), source="two")
    (leak,) = between({"one": [one], "two": [example(9), two], "three": [example(8, prefix="z")]})
    assert (leak.source, leak.id, leak.held_source, leak.held) == ("two", two.id, "one", one.id)
    assert leak.reason == "text"
