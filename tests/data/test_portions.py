"""Drawing a portion's examples."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import DataError
from autoqa.data import draw
from autoqa.data.portions import expected_rows
from autoqa.recipes import Portion, Recipe, Stage
from autoqa.types import Answer, Example
from tests.data.stand_in import examples

ROWS = examples(range(30)) + examples(range(30, 40), language="en")


@given(share=st.floats(0.01, 3.5), seed=st.integers(0, 999))
def test_share_is_met_and_repeats_are_even(share: float, seed: int) -> None:
    drawn = draw(ROWS, Portion("s", share=share), np.random.default_rng(seed))
    assert len(drawn) == max(1, round(share * len(ROWS)))
    counts = Counter(drawn.tolist())
    assert max(counts.values()) <= -(-len(drawn) // len(ROWS))
    if share >= 1:
        assert min(counts.values()) >= len(drawn) // len(ROWS)
        assert len(counts) == len(ROWS)


def test_each_generator_draws_its_own_and_the_same_again() -> None:
    portion = Portion("s", share=0.5)
    first = draw(ROWS, portion, np.random.default_rng(1))
    assert first.dtype == np.int64
    np.testing.assert_array_equal(draw(ROWS, portion, np.random.default_rng(1)), first)
    assert not np.array_equal(draw(ROWS, portion, np.random.default_rng(2)), first)


def test_languages_are_filtered_before_the_share() -> None:
    drawn = draw(ROWS, Portion("s", ("en",), share=0.5), np.random.default_rng(0))
    assert len(drawn) == 5
    assert {ROWS[row].language for row in drawn} == {"en"}


def test_no_example_is_an_error() -> None:
    with pytest.raises(DataError, match="asks for the languages ta, but there is en, hi"):
        draw(ROWS, Portion("s", ("ta",)), np.random.default_rng(0))


def _kinds(answerable, unanswerable):
    answer = (Answer("x", 0),)
    return [
        Example(f"{i}", "q", "x", answer if i < answerable else (), "en", f"d{i}")
        for i in range(answerable + unanswerable)
    ]


@given(
    answerable=st.integers(1, 60),
    unanswerable=st.integers(1, 60),
    share=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8]),
    seed=st.integers(0, 100),
)
def test_a_share_of_unanswerable_rows_is_kept_to(answerable, unanswerable, share, seed):
    rows = _kinds(answerable, unanswerable)
    portion = Portion("s", unanswerable=share)
    drawn = draw(rows, portion, np.random.default_rng(seed))
    if expected_rows(Recipe((Stage((portion,), 32, 8),)), {"s": rows}) == 0:
        return  # the few there are would be more than their share; one row is drawn all the same
    absent = sum(not rows[i].answers for i in drawn)
    assert len(set(drawn.tolist())) == len(drawn)
    assert abs(absent - share * len(drawn)) <= 1
    assert absent == unanswerable or len(drawn) - absent == answerable  # as many as there can be
    assert expected_rows(Recipe((Stage((portion,), 32, 8),)), {"s": rows}) == len(drawn)


def test_other_rows_are_left_out_at_each_appearance():
    rows, portion = _kinds(20, 80), Portion("s", unanswerable=0.2)
    draws = [set(draw(rows, portion, np.random.default_rng(seed)).tolist()) for seed in (1, 2)]
    assert len(draws[0]) == len(draws[1]) == 25
    assert draws[0] != draws[1]


def test_a_source_without_unanswerable_rows_has_no_share_of_them():
    with pytest.raises(DataError, match=r"unanswerable = 0\.3, but no question there is without"):
        draw(_kinds(5, 0), Portion("s", unanswerable=0.3), np.random.default_rng(0))


def test_recipes_that_say_nothing_of_unanswerable_rows_keep_their_hash():
    stage = Recipe((Stage((Portion("s"),), 32, 8),)).to_dict()["stages"][0]
    assert "unanswerable" not in stage["portions"][0]
    recipe = Recipe((Stage((Portion("s", unanswerable=0.3),), 32, 8),))
    assert Recipe.from_dict(recipe.to_dict()) == recipe
