"""What counts as a copy of the validation set."""

from dataclasses import replace

import pytest
from stand_in import example

from autoqa.data.overlap import Overlap

SENTENCES = [
    "The river rises in the mountains of the far north",
    "It passes four towns on its way to the southern sea",
    "Its water is used for rice fields and for two large mills",
    "Every spring the snow of the highlands makes it rise",
]
CONTEXT = ". ".join(SENTENCES) + "."


def reason(context: str, held: str = CONTEXT) -> str | None:
    overlap = Overlap([example(1, context=held, answers=())])
    kept, counts = overlap.remove([example(2, prefix="t", context=context, answers=())])
    assert len(kept) + counts.total() == 1
    return next(iter(counts), None)


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


def test_row_numbers_are_no_ids() -> None:
    overlap = Overlap([replace(example(1), id="17"), replace(example(2), id="5725b33f6a3fe7140")])
    rows = [example(3, prefix="t"), example(4, prefix="t")]
    kept, counts = overlap.remove(
        [replace(rows[0], id="17"), replace(rows[1], id="5725b33f6a3fe7140@hi")]
    )
    assert [one.id for one in kept] == ["17"]
    assert counts == {"id": 1}


@pytest.mark.parametrize("answer, removed", [("answer1", True), ("Context", False)])
def test_same_question_counts_only_with_the_same_answer(answer: str, removed: bool) -> None:
    held = example(1)
    other = example(1, prefix="t", context=f"Context: {answer}", question=held.question)
    start = other.context.rindex(answer)
    other = replace(other, answers=(replace(held.answers[0], text=answer, start=start),))
    _, counts = Overlap([held]).remove([other])
    assert bool(counts["question"]) is removed
