import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.joining.mean_logits import blend


@settings(max_examples=3000, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 5))
def test_is_the_weighted_mean(seed, models):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 5, (models, 2, 7)).astype(np.float32)
    weights = rng.uniform(0.1, 3, models).tolist()
    start, end = blend([(a, b) for a, b in logits], weights)
    for ours, side in ((start, 0), (end, 1)):
        expected = [
            sum(w * float(logits[m, side, t]) for m, w in enumerate(weights)) / sum(weights)
            for t in range(7)
        ]
        assert ours == pytest.approx(expected, abs=1e-5)
        assert ours.dtype == np.float32


def test_one_model_stays_as_it_is():
    start, end = np.float32([1.5, -2, 1e8]), np.float32([0.1, 3, -7])
    blended = blend([(start, end)], [3])
    assert np.array_equal(blended[0], start)
    assert np.array_equal(blended[1], end)


def test_refuses_what_cannot_be_averaged():
    a, b = np.zeros(3), np.zeros(4)
    with pytest.raises(ValueError, match="only models of one group"):
        blend([(a, a), (b, b)])
    with pytest.raises(ValueError, match="above 0"):
        blend([(a, a)], [0])
    with pytest.raises(ValueError, match="2 weights for 1 models"):
        blend([(a, a)], [1, 1])
    with pytest.raises(ValueError, match="0 models"):
        blend([])
