"""What is stated of the best: exact in simple cases, right in simulated searches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores.quantiles import expected_highest, t_quantile
from autoqa.scores.standard_errors import Spread
from autoqa.scores.stated_score import stated_score
from tests.scores.simulate import Setting, outcome

DOCUMENTS = [f"d{i // 4}" for i in range(160)]


def test_one_candidate_read_once_has_the_usual_interval():
    scores = np.random.default_rng(0).random(160)
    spread = Spread(scores, DOCUMENTS)
    said = stated_score(spread, 0, reads=1)
    assert (said.score, said.contenders, said.reads) == (said.public, 1, 1)
    assert said.half_width == pytest.approx(t_quantile(0.975, 39) * spread.error(0))
    assert (said.low, said.high) == pytest.approx(
        (said.score - said.half_width, said.score + said.half_width)
    )


def test_a_candidate_far_above_all_others_is_stated_as_measured():
    low = np.random.default_rng(0).uniform(0, 0.2, 160)
    said = stated_score(Spread([low, low + 0.7], DOCUMENTS), 1, reads=2)
    assert (said.contenders, said.score) == (1, said.public)


def test_luck_is_taken_off_where_many_are_in_contention():
    rng = np.random.default_rng(0)
    common = rng.random(160)
    spread = Spread(common + rng.normal(0, 0.1, (40, 160)), DOCUMENTS)
    best = int(spread.means.argmax())
    said = stated_score(spread, best, reads=40)
    own = spread.gap_errors(best).max() / 2**0.5
    assert said.score == pytest.approx(said.public - own * expected_highest(said.contenders))
    assert said.contenders > 10


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.integers(0, 400))
def test_more_reads_never_narrow_it_and_it_stays_between_0_and_1(seed, count, documents, more):
    rng = np.random.default_rng(seed)
    spread = Spread(rng.random((count, 18)), [str(i % documents) for i in range(18)])
    best = int(spread.means.argmax())
    once, often = stated_score(spread, best, count), stated_score(spread, best, count + more)
    assert often.score == once.score <= once.public
    assert often.half_width >= once.half_width
    assert 0 <= often.low <= once.low <= once.score <= once.high <= often.high <= 1


def test_fewer_reads_than_candidates_cannot_be():
    spread = Spread(np.random.default_rng(0).random((5, 160)), DOCUMENTS)
    assert stated_score(spread, 0, reads=1).reads == 5


@pytest.mark.parametrize(
    "setting",
    [
        Setting(reads=60, questions=200, documents=50),
        Setting(reads=10),
        Setting(reads=10, ability=0),
        Setting(reads=40, documents=40),
        Setting(reads=40, ability=0),
        Setting(reads=40, adaptive=False),
    ],
    ids=str,
)
def test_holds_the_truth_and_is_not_half_as_optimistic_as_the_highest_mean(setting):
    found = outcome(setting, runs=max(120, 6000 // setting.reads))
    assert found.covered >= 0.95
    assert found.optimism <= found.naive_optimism / 2
    assert found.half_width < 1.7 * found.naive_half_width


@pytest.mark.parametrize(
    "share, degrees, expected",
    [
        (0.975, 3, 3.1824),
        (0.975, 10, 2.2281),
        (0.975, 39, 2.0227),
        (0.025, 10, -2.2281),
        (0.995, 30, 2.7500),
        (0.9995, 60, 3.4602),
    ],
)
def test_quantiles_are_those_of_the_tables(share, degrees, expected):
    assert t_quantile(share, degrees) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("count, expected", [(1, 0), (2, 0.5642), (10, 1.5388), (100, 2.5076)])
def test_the_highest_of_some_normal_numbers(count, expected):
    assert expected_highest(count) == pytest.approx(expected, abs=0.03)
