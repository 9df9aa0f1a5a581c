"""The effect of a change: its interval, and how often looks again and again go wrong."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores.sequential import ERROR, NEGLIGIBLE, effect_at, looks, sequential_effect

DOCUMENTS = [f"d{number // 2}" for number in range(40)]

Deviations = tuple[float, float, float]
"""Standard deviations of an effect: by document, by seed, and of what is left over."""

KINDS: dict[str, Deviations] = {
    "only documents": (0.1, 0.0, 0.0),
    "only seeds": (0.0, 0.05, 0.0),
    "only questions": (0.0, 0.0, 0.3),
    "all of them": (0.05, 0.02, 0.2),
}


def drawn(
    rng: np.random.Generator, seeds: int, deviations: Deviations, effect: float = 0.0
) -> np.ndarray:
    """Gains of two questions for each of twenty documents, ``[seeds, 40]``."""
    by_document, by_seed, left = deviations
    documents = rng.normal(0, by_document, 20).repeat(2)
    return (
        effect
        + documents
        + rng.normal(0, by_seed, (seeds, 1))
        + rng.normal(0, left, (seeds, len(documents)))
    )


def few_answers_change(rng: np.random.Generator, seeds: int) -> np.ndarray:
    """One answer in twelve becomes right or wrong, as real effects are."""
    return rng.choice([-1.0, 0.0, 1.0], size=(seeds, len(DOCUMENTS)), p=[1 / 24, 11 / 12, 1 / 24])


def some_runs_collapse(rng: np.random.Generator, seeds: int) -> np.ndarray:
    """Half of all runs, of base and arm alike, score much less: nothing is normal about seeds."""
    scores = 0.6 * (rng.random((2, seeds, 1)) < 0.5) + rng.normal(0, 0.05, (2, seeds, 40))
    difference: np.ndarray = scores[0] - scores[1]
    return difference


OTHERS = {"few answers change": few_answers_change, "some runs collapse": some_runs_collapse}


@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
def test_where_there_is_no_effect_looks_find_one_in_at_most_5_of_100(kind: str) -> None:
    rng, studies, found = np.random.default_rng(7), 400, 0
    for _ in range(studies):
        gains = drawn(rng, 27, KINDS[kind]) if kind in KINDS else OTHERS[kind](rng, 27)
        effect = sequential_effect(gains, DOCUMENTS)
        assert effect is not None
        found += effect.excludes_zero
    assert found / studies <= ERROR


def test_without_spending_the_error_the_looks_would_find_too_much() -> None:
    """What the rule is there for: the same looks, each at 5 %."""
    rng, studies, found = np.random.default_rng(7), 400, 0
    for _ in range(studies):
        gains = drawn(rng, 27, KINDS["only seeds"])
        found += any(
            effect_at(gains[:seeds], DOCUMENTS, ERROR).excludes_zero for seeds in looks(27)
        )
    assert found / studies > 2 * ERROR


def test_the_interval_holds_the_truth_and_a_real_effect_is_found() -> None:
    rng, studies, held, found = np.random.default_rng(3), 300, 0, 0
    for _ in range(studies):
        effect = sequential_effect(drawn(rng, 8, (0.05, 0.01, 0.1), effect=0.1), DOCUMENTS)
        assert effect is not None
        held += effect.low <= 0.1 <= effect.high
        found += effect.low > 0
    assert held / studies >= 1 - ERROR
    assert found / studies > 0.9


def test_variances_are_those_of_the_pigeonhole_bootstrap() -> None:
    """Of seeds and documents drawn anew, independently of each other."""
    rng = np.random.default_rng(5)
    gains, error, count = drawn(rng, 30, (0.1, 0.1, 0.1)), 0.05, 20
    effect = effect_at(gains, DOCUMENTS, error)
    by_document = gains.reshape(30, count, 2).mean(axis=2)
    means = [
        by_document[rng.integers(30, size=30)][:, rng.integers(count, size=count)].mean()
        for _ in range(4000)
    ]
    # Quantiles of 29 and 19 degrees of freedom are 2.05 and 2.09.
    assert (effect.high - effect.low) / 2 / 2.07 == pytest.approx(np.std(means), rel=0.06)


def test_looks_are_about_half_as_many_again() -> None:
    assert list(looks(30)) == [3, 5, 8, 12, 18, 27]
    assert list(looks(8)) == [3, 5, 8]
    assert list(looks(7)) == [3, 5]
    assert list(looks(2)) == []


arrays = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).normal(0.1, 0.1, (5, len(DOCUMENTS)))
)


@settings(max_examples=50, deadline=None)
@given(gains=arrays, share=st.floats(0.001, 0.4))
def test_an_interval_is_about_its_mean_and_turns_with_its_sign(
    gains: np.ndarray, share: float
) -> None:
    effect, other = effect_at(gains, DOCUMENTS, share), effect_at(-gains, DOCUMENTS, share)
    assert effect.low <= effect.mean <= effect.high
    assert (other.low, other.mean, other.high) == pytest.approx(
        (-effect.high, -effect.mean, -effect.low)
    )
    surer = effect_at(gains, DOCUMENTS, share / 2)
    assert surer.low <= effect.low
    assert effect.high <= surer.high


@settings(max_examples=50, deadline=None)
@given(gains=arrays)
def test_each_look_asks_more_than_the_one_before(gains: np.ndarray) -> None:
    """So that all together err as seldom as one may."""
    widths = [
        effect.high - effect.low
        for number in range(1, 5)
        for effect in [effect_at(gains, DOCUMENTS, ERROR / 2**number)]
    ]
    assert all(one <= other for one, other in pairwise(widths))


def test_what_is_alike_with_every_seed_is_no_effect_that_matters() -> None:
    effect = sequential_effect(np.zeros((3, 40)), DOCUMENTS)
    assert effect is not None
    assert (effect.mean, effect.low, effect.high, effect.seeds) == (0, 0, 0, 3)
    assert effect.is_clear
    assert not effect.excludes_zero
    small = sequential_effect(np.full((8, 40), NEGLIGIBLE / 2), DOCUMENTS)
    assert small is not None
    assert small.excludes_zero
    assert small.seeds == 3, "the first clear look decides"


def test_too_little_to_say() -> None:
    assert sequential_effect(np.zeros((2, 40)), DOCUMENTS) is None
    one = sequential_effect(np.full((3, 40), 0.5), ["only"] * 40)
    assert one is not None
    assert (one.low, one.high) == (-1, 1), "one document says nothing of others"
    with pytest.raises(ValueError, match="two seeds or more"):
        effect_at(np.zeros((1, 40)), DOCUMENTS, ERROR)
    with pytest.raises(ValueError, match="one each"):
        effect_at(np.zeros((3, 40)), DOCUMENTS[:-1], ERROR)
