"""The model behind effects: least squares where there is much data, wide where there is little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores.linear_effects import can_estimate, estimate_effects


def made(seed: int, trials: int, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Three conditions that add .1, -.05 and nothing to every question."""
    rng = np.random.default_rng(seed)
    columns = (rng.random((trials, 3)) < 0.5).astype(float)
    means = columns @ [0.1, -0.05, 0.0] + rng.normal(0, noise, trials)
    scores = means[:, None] + rng.normal(0.5, 0.3, 60) + rng.normal(0, 0.05, (trials, 60))
    return columns, scores, [f"d{number // 2}" for number in range(60)]


def test_with_many_trials_it_is_least_squares() -> None:
    columns, scores, documents = made(0, 200)
    design = np.column_stack([np.ones(200), columns])
    expected = np.linalg.lstsq(design, scores.mean(axis=1), rcond=None)[0][1:]
    found = estimate_effects(columns, np.zeros((200, 0)), scores, documents)
    np.testing.assert_allclose([each.effect for each in found], expected, atol=2e-3)
    assert [each.clear for each in found] == [True, True, False]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 40), st.floats(-0.3, 0.3))
def test_what_all_trials_share_and_the_order_of_anything_do_not_matter(
    seed: int, trials: int, shift: float
) -> None:
    columns, scores, documents = made(seed, trials)
    flat = np.zeros((trials, 0))
    usual = estimate_effects(columns, flat, scores, documents)
    rng = np.random.default_rng(seed)
    order, questions = rng.permutation(trials), rng.permutation(60)
    moved = scores[order][:, questions] + shift + rng.normal(0, 1, 60)  # other difficulties
    again = estimate_effects(
        columns[order][:, ::-1], flat, moved, [documents[number] for number in questions]
    )[::-1]
    np.testing.assert_allclose(
        [each.effect for each in again], [each.effect for each in usual], atol=0.2
    )
    same = estimate_effects(columns[order], flat, scores[order] + shift, documents)
    for one, other in zip(usual, same, strict=True):
        assert one.effect == pytest.approx(other.effect, abs=1e-9)
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-6)
        assert one.wide_low <= one.low <= one.effect <= one.high <= one.wide_high


def test_a_step_of_another_size_has_an_effect_of_another_size() -> None:
    columns, scores, documents = made(1, 30)
    flat = np.zeros((30, 0))
    one = estimate_effects(columns, flat, scores, documents)[0]
    double = estimate_effects(columns, flat, scores, documents, [2.0, 1.0, 1.0])[0]
    assert double.effect == pytest.approx(2 * one.effect)
    assert double.low == pytest.approx(2 * one.low)
    assert double.more_trials == one.more_trials


def test_a_gap_between_flat_conditions_is_not_drawn_to_zero() -> None:
    columns, scores, documents = made(2, 24)
    backbone = (np.arange(24) % 2).astype(float)[:, None]
    (found, *_) = estimate_effects(columns, backbone, scores + 2 * backbone, documents)
    assert found.effect == pytest.approx(2, abs=0.05)


def test_what_would_make_an_effect_clear_is_said_where_it_can_be() -> None:
    columns, scores, documents = made(3, 16, noise=0.06)
    found = estimate_effects(columns, np.zeros((16, 0)), scores, documents)
    unclear = [each for each in found if not each.clear and each.more_trials]
    assert unclear, "an effect that more trials would make clear"
    for each in unclear:
        assert abs(each.effect) > each.standard_error
    assert all(each.more_trials == 0 for each in found if each.clear)


def test_effects_of_few_documents_ask_for_documents_and_not_for_trials() -> None:
    rng = np.random.default_rng(4)
    columns = (rng.random((200, 1)) < 0.5).astype(float)
    by_document = np.array([0.9, -0.4, -0.1, 0.0])  # one document alone is for it
    scores = 0.5 + columns * by_document + rng.normal(0, 1e-3, (200, 4))
    (found,) = estimate_effects(columns, np.zeros((200, 0)), scores, ["a", "b", "c", "d"])
    assert not found.clear
    assert found.more_trials is None
    (alone,) = estimate_effects(columns, np.zeros((200, 0)), scores, ["a"] * 4)
    assert not alone.clear
    assert alone.high - alone.low > 1


def test_scores_that_never_differ_have_no_effects() -> None:
    columns, _, documents = made(5, 12)
    found = estimate_effects(columns, np.zeros((12, 0)), np.full((12, 60), 0.5), documents)
    assert not any(each.clear for each in found)


@pytest.mark.parametrize("trials, flat, enough", [(7, 1, False), (8, 1, True), (8, 5, False)])
def test_few_trials_say_nothing(trials: int, flat: int, enough: bool) -> None:
    assert can_estimate(trials, flat) is enough
    if not enough:
        with pytest.raises(ValueError, match="too few"):
            estimate_effects(
                np.zeros((trials, 1)),
                np.zeros((trials, flat - 1)),
                np.zeros((trials, 4)),
                ["a"] * 4,
            )
