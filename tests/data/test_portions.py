"""Drawing a portion's examples."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import DataError
from autoqa.data import draw
from autoqa.recipes import Portion
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
