"""Further answers are worth their place."""

import pytest

from autoqa.text.distinct import DistinctAnswers


@pytest.mark.parametrize(
    "second, taken",
    [
        (("in Rome", 13, 20, 0), True),
        (("ada  LOVELACE", 30, 43, 0), False),
        (("Ada Lovelace", 0, 12, 1), False),
        (("Lovelace", 4, 12, 0), False),
        (("Lovelace", 4, 12, 1), True),
        (("was", 12, 15, 0), True),
    ],
)
def test_the_next_neither_overlaps_nor_says_the_same(
    second: tuple[str, int, int, int], taken: bool
) -> None:
    answers = DistinctAnswers()
    assert answers.take("Ada Lovelace", 0, 12)
    assert answers.take(*second) is taken


def test_what_was_refused_is_not_remembered() -> None:
    answers = DistinctAnswers()
    assert answers.take("Ada", 0, 3)
    assert not answers.take("Ada Lovelace", 0, 12)
    assert answers.take("Lovelace", 4, 12)


def test_the_first_other_ones_are_taken_and_no_more() -> None:
    answers = DistinctAnswers()
    assert answers.take("Ada", 0, 3)
    offered = [("Ada L.", 0, 6, 0), ("Rome", 9, 13, 0), ("rome", 20, 24, 0), ("1815", 30, 34, 0)]
    assert answers.first(offered, 1, lambda each: each) == [offered[1]]
    assert answers.first(offered, 9, lambda each: each) == [offered[3]]
    assert answers.first(offered, 9, lambda each: each) == []
