"""Where answers that occur several times belong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoqa.api import Answer, DataError, Example
from autoqa.data.overlay import Change
from autoqa.labels.ambiguous_answers import (
    LEAST,
    USUAL,
    AmbiguousAnswer,
    PlacedAnswer,
    changes,
    find_ambiguous,
    learn,
    model_evidence,
)
from autoqa.placing.evidence import Places
from tests.benchmarks.relocation import ambiguous, calibration_error, corpora, deciles, left_out
from tests.data.stand_in import examples

CONTEXT = (
    "Oslo is a town. The river Akerselva flows through it. The painter Munch was born in Loten. "
    "The painter Munch died in Oslo. Oslofjord lies in the south."
)
DIED = Example("d", "Where did the painter Munch die?", CONTEXT, (Answer("Oslo", 0),), "en", "d")


def test_question_words_and_word_boundaries_decide() -> None:
    alone = replace(DIED, id="b", answers=(Answer("Loten", CONTEXT.index("Loten")),))
    (one,) = find_ambiguous([DIED, alone])
    assert one.starts == (0, CONTEXT.index("Oslo."), CONTEXT.index("Oslofjord"))
    features = Places([DIED, alone]).features(DIED, one.starts, 4)
    near, around, sentence = features[:, 0], features[:, 1], features[:, 2]
    assert near.argmax() == around.argmax() == sentence.argmax() == 1
    begins, ends = one.evidence[:, 1], one.evidence[:, 2]
    assert begins[0] == begins[1] == begins[2]
    assert ends[0] == ends[1] > ends[2]
    assert one.evidence[:, 3:5].tolist() == [[0, 1], [0, 0], [0, 0]]
    placed = USUAL.place(one)
    assert placed.start == CONTEXT.index("Oslo.")
    assert placed.moved


def test_rows_whose_answer_occurs_once_are_not_asked() -> None:
    rows = examples(range(10))
    assert all(row.context.count(row.answers[0].text) == 1 for row in rows)
    assert find_ambiguous(rows) == []


def test_a_very_long_context_with_thousands_of_occurrences() -> None:
    text = "The a of the b is the c. " * 3000
    row = replace(DIED, context=text, answers=(Answer("the", text.index("the")),))
    (one,) = find_ambiguous([row])
    assert len(one.starts) == 6000
    assert np.isfinite(USUAL.place(one).confidence)


@pytest.mark.parametrize("question", ["?", "…", "İİ"])
def test_questions_without_words(question: str) -> None:
    (one,) = find_ambiguous([replace(DIED, question=question)])
    assert np.isfinite(one.evidence).all()


def placed(start: int, confidence: float, *, number: int = 0) -> PlacedAnswer:
    row = replace(DIED, answers=(Answer("Oslo", 0), Answer("Munch", CONTEXT.index("Munch"))))
    asked = AmbiguousAnswer(row, number, (0, 16, 125), np.zeros((3, 7)))
    return PlacedAnswer(asked, start, confidence)


def test_only_rows_that_move_with_confidence_are_written() -> None:
    end = CONTEXT.index("Oslo.")
    assert changes([placed(0, 0.9), placed(end, 0.5)], 0.6) == ()
    munch = Answer("Munch", CONTEXT.index("Munch"))
    assert changes([placed(end, 0.61234)], 0.6) == (
        Change("d", "en", (Answer("Oslo", end), munch), "the likeliest of 3 occurrences", 0.6123),
    )


def test_two_moved_references_of_one_row_make_one_change() -> None:
    end, later = CONTEXT.index("Oslo."), CONTEXT.rindex("Munch")
    (change,) = changes([placed(end, 0.9), placed(later, 0.7, number=1)], 0.6)
    assert change.answers == (Answer("Oslo", end), Answer("Munch", later))
    assert change.confidence == 0.7


def test_what_models_say_is_relative_and_bounded() -> None:
    said = model_evidence([np.array([-1.0, -3.0, -np.inf]), np.array([-2.0, -2.0, -2.5])])
    assert said is not None
    np.testing.assert_allclose(said, [0.0, -1.0, -5.25])
    assert model_evidence([]) is None
    assert model_evidence([np.array([-np.inf, -np.inf])]) is None


def test_too_little_to_learn_from() -> None:
    with pytest.raises(DataError, match=f"3 answers .* too few .*{LEAST} are needed"):
        learn([placed(0, 1.0).ambiguous] * 3)


def test_learning_follows_the_trusted_places() -> None:
    (one,) = find_ambiguous([DIED])
    last = replace(DIED, answers=(Answer("Oslo", one.starts[-1]),))
    weights = learn([replace(one, example=last)] * 2000)
    assert weights.place(one).start == one.starts[-1]
    np.testing.assert_array_equal(weights.with_models, USUAL.with_models)


def test_confidence_is_calibrated_for_languages_it_was_not_learned_from(data_folder: Path) -> None:
    rows = ambiguous(corpora(data_folder))
    found = left_out(rows)
    table = deciles(rows, found)
    right = sum(one.start in row.truth for row, one in zip(rows, found, strict=True))
    first = sum(row.first for row in rows)
    print(f"\n{len(rows)} answers, right: {right}, first occurrence: {first}")
    for said, was, size in table:
        print(f"  said {said:.3f}, was {was:.3f}, {size} rows")
    assert calibration_error(table) <= 0.05
    assert table[-1][1] > table[0][1] + 0.2
    assert right > first + 0.02 * len(rows)
