"""Conditional logit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.placing.conditional_logit import fit, probabilities


def drawn(seed: int, rows: int, weights: np.ndarray) -> tuple[list[np.ndarray], list[int]]:
    rng = np.random.default_rng(seed)
    alternatives = [rng.normal(size=(int(rng.integers(1, 6)), len(weights))) for _ in range(rows)]
    chosen = [int(rng.choice(len(a), p=probabilities(a, weights))) for a in alternatives]
    return alternatives, chosen


def test_finds_the_weights_that_choices_were_drawn_with() -> None:
    planted = np.array([1.5, -0.7, 0.0])
    found = fit(*drawn(0, 5000, planted), np.zeros(3))
    np.testing.assert_allclose(found, planted, atol=0.12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_no_other_weights_are_likelier(seed: int, rows: int) -> None:
    alternatives, chosen = drawn(seed, rows, np.array([2.0, -1.0]))
    prior = np.array([0.3, 0.1])
    found = fit(alternatives, chosen, prior)

    def objective(weights: np.ndarray) -> float:
        told = (
            np.log(probabilities(a, weights)[c]) for a, c in zip(alternatives, chosen, strict=True)
        )
        return float(sum(told) - ((weights - prior) ** 2).sum() / 2)

    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert objective(found) >= objective(found + step)


def test_without_rows_the_prior_stays() -> None:
    np.testing.assert_array_equal(fit([], [], np.array([1.0, 2.0])), [1.0, 2.0])


def test_what_is_common_to_a_row_cancels() -> None:
    rows = np.array([[1.0, 0.0], [2.0, 1.0]])
    weights = np.array([0.5, 3.0])
    np.testing.assert_allclose(probabilities(rows, weights), probabilities(rows + 7, weights))
