import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.scores.calibration import calibration_error, log_loss, reliability


def slow_error(confidence, scores):
    bins = {}
    for stated, reached in zip(confidence, scores, strict=True):
        bins.setdefault(min(int(stated * 10), 9), []).append((stated, reached))
    total = sum(abs(sum(s - r for s, r in rows)) for rows in bins.values())
    return total / len(scores)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_error_is_the_mean_gap_of_bins(pairs):
    confidence, scores = np.array(pairs).T
    assert calibration_error(confidence, scores) == pytest.approx(
        slow_error(confidence, scores), abs=1e-9
    )


def test_confidence_that_is_right_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    scores = (rng.random(20_000) < confidence).astype(float)
    documents = [f"d{i // 10}" for i in range(20_000)]
    found = reliability(confidence, scores, documents)
    assert found.error < 0.02
    assert sum(each.questions for each in found.bins) == 20_000
    assert all(each.low - 0.03 < each.stated < each.high + 0.03 for each in found.bins)
    assert [each.share for each in found.surest] == [0.5, 0.8, 0.9]
    reached = [each.reached for each in found.surest]
    assert reached == sorted(reached, reverse=True)
    assert reached[0] == pytest.approx(0.75, abs=0.02)


def test_log_loss_is_finite_where_confidence_is_wrong_for_certain():
    assert np.isfinite(log_loss(np.array([0.0, 1.0]), np.array([1.0, 0.0])))
