import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.scores.correlation import agreement, ranks

VALUES = st.lists(st.integers(0, 20), min_size=4, max_size=12)


def test_ranks_share_what_is_equal():
    assert ranks([0.5, 0.9, 0.5, 0.1]).tolist() == [2.5, 1, 2.5, 4]


def test_is_what_numpy_and_the_formula_of_spearman_say():
    rng = np.random.default_rng(0)
    own = rng.random(12)
    other = own + rng.normal(0, 0.2, 12)
    found = agreement(own, other)
    assert found.pearson is not None
    assert found.spearman is not None
    assert found.pearson.mean == pytest.approx(np.corrcoef(own, other)[0, 1])
    gaps = ranks(own) - ranks(other)
    assert found.spearman.mean == pytest.approx(1 - 6 * (gaps @ gaps) / (12 * (12**2 - 1)))
    assert found.offset.mean == pytest.approx(float(np.mean(other - own)))


def test_intervals_hold_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(1)
    hits = np.zeros(2)
    for _ in range(400):
        one = rng.normal(0, 1, 15)
        found = agreement(one, 0.6 * one + 0.8 * rng.normal(0, 1, 15) + 3)
        assert found.pearson is not None
        hits += (
            found.pearson.low <= 0.6 <= found.pearson.high,
            found.offset.low <= 3 <= found.offset.high,
        )
    assert (hits / 400 >= 0.92).all()


@given(VALUES, st.randoms())
def test_intervals_hold_the_correlation_and_signs_turn(values, order):
    other = list(values)
    order.shuffle(other)
    there, back = agreement(values, other), agreement(values, [-each for each in other])
    for one, turned in ((there.pearson, back.pearson), (there.spearman, back.spearman)):
        if one is None:
            assert turned is None
            continue
        assert turned is not None
        assert -1 <= one.low <= one.mean <= one.high <= 1
        assert one.mean == pytest.approx(-turned.mean)


def test_what_never_changes_correlates_with_nothing():
    found = agreement([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert (found.pearson, found.spearman) == (None, None)
    assert found.offset.mean == pytest.approx(-0.3)


def test_three_pairs_say_nothing_of_a_correlation():
    found = agreement([1, 2, 3], [1, 3, 2]).pearson
    assert found is not None
    assert (found.low, found.high) == (-1, 1)


@pytest.mark.parametrize("one, other", [([1], [1]), ([1, 2], [1, 2, 3])])
def test_pairs_are_needed(one, other):
    with pytest.raises(ValueError, match="two or more pairs"):
        agreement(one, other)
