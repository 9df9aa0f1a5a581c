import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores import bootstrap
from autoqa.scores.bootstrap import interval, paired, paired_with_each


def slow_draws(scores, documents, rounds, seed):
    """Documents drawn one at a time, their questions counted one at a time."""
    rng = np.random.default_rng(seed)
    names, means = sorted(set(documents)), []
    for _ in range(rounds):
        total, count = 0.0, 0
        for chosen in rng.integers(len(names), size=len(names)):
            for score, document in zip(scores, documents, strict=True):
                if document == names[chosen]:
                    total, count = total + score, count + 1
        means.append(total / count)
    return np.array(means)


def clustered(seed, documents=60, questions=4, spread=0.25):
    rng = np.random.default_rng(seed)
    level = rng.normal(0.6, spread, documents).repeat(questions)
    names = [f"d{i}" for i in range(documents) for _ in range(questions)]
    return np.clip(level + rng.normal(0, 0.1, len(level)), 0, 1), names


def test_is_the_distribution_of_the_slow_bootstrap():
    scores, documents = clustered(0, documents=20)
    slow = slow_draws(scores, documents, 800, seed=1)
    fast = interval(scores, documents, rounds=4000, seed=2)
    assert fast.mean == pytest.approx(scores.mean())
    assert fast.low == pytest.approx(np.quantile(slow, 0.025), abs=0.015)
    assert fast.high == pytest.approx(np.quantile(slow, 0.975), abs=0.015)


def test_documents_are_drawn_and_not_questions():
    scores, documents = clustered(3)
    by_document = interval(scores, documents)
    by_question = interval(scores, [str(i) for i in range(len(scores))])
    assert by_document.half_width > 1.5 * by_question.half_width


def test_covers_the_truth_about_95_times_in_100():
    hits = 0
    for seed in range(300):
        scores, documents = clustered(seed, documents=40, spread=0.1)
        found = interval(scores, documents, rounds=400, seed=seed)
        hits += found.low <= 0.6 <= found.high
    assert 0.89 <= hits / 300 <= 0.99


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12))
def test_intervals_hold_the_mean_of_equal_documents_and_turn_round(seed, documents):
    a, names = clustered(seed, documents=documents)
    b, _ = clustered(seed + 1, documents=documents)
    there, back = paired(a, b, names), paired(b, a, names)
    assert there.gain == pytest.approx(-back.gain)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p_better == pytest.approx(1 - back.p_better)
    assert there.standard_error == pytest.approx(back.standard_error)
    assert -1 <= there.low <= there.high <= 1


def test_pairing_cancels_what_is_common():
    a, documents = clustered(1)
    gain = paired(np.minimum(a + 0.02, 1.02), a, documents)
    assert gain.gain == pytest.approx(0.02)
    assert gain.low > 0
    assert gain.p_better == 1
    nothing = paired(a, a, documents)
    assert (nothing.low, nothing.high, nothing.p_better) == (0, 0, 0.5)


def test_same_seed_same_interval_in_any_block_size(monkeypatch):
    scores, documents = clustered(1)
    assert interval(scores, documents, seed=5) == interval(scores, documents, seed=5)
    whole = interval(scores, documents)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 1000)
    parts = interval(scores, documents)
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), abs=0.01)


def test_several_comparisons_are_those_that_each_is_alone(monkeypatch):
    scores, documents = clustered(1)
    others = [scores[::-1], np.round(scores), scores]
    alone = [paired(each, scores, documents) for each in others]
    assert paired_with_each(others, scores, documents) == alone
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 1000)
    assert paired_with_each(others, scores, documents) == [
        paired(each, scores, documents) for each in others
    ]
    assert paired_with_each([], scores, documents) == []


def test_one_document_says_nothing():
    assert interval([0.4, 0.6], ["d", "d"]) == bootstrap.Interval(0.5, 0.0, 1.0)
    gain = paired([1, 1], [0, 0], ["d", "d"])
    assert (gain.low, gain.high, gain.standard_error, gain.p_better) == (-1, 1, 1, 0.5)


@pytest.mark.parametrize("scores, documents", [([], []), ([0.5], ["a", "b"])])
def test_one_document_per_score(scores, documents):
    with pytest.raises(ValueError, match="one each is needed"):
        interval(scores, documents)


def test_is_fast_on_many_documents():
    rng = np.random.default_rng(0)
    names = [f"d{i // 3}" for i in range(9000)]
    begin = time.process_time()
    interval(rng.random(9000), names)
    assert time.process_time() - begin < 4
