import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autoqa.ensemble.evaluation.blend_winners import Blends, unbeaten


def draw(seed, candidates, integers):
    """Scores with or without many ties."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 12, 9)
    example = np.repeat(np.arange(len(counts)), counts)
    scores = rng.normal(0, 3, (candidates, len(example)))
    return rng, example, np.round(scores) if integers else scores


def winners(total, example):
    """The first of the highest of each question, one span at a time."""
    best = {}
    for span, question in enumerate(example.tolist()):
        if question not in best or total[span] > total[best[question]]:
            best[question] = span
    return [best[question] for question in sorted(best)]


@given(st.integers(0, 10**6), st.integers(1, 6), st.booleans())
def test_winners_are_those_of_the_sums(seed, candidates, integers):
    rng, example, sums = draw(seed, candidates, integers)
    blends = Blends(sums, example)
    for _ in range(4):
        seats = rng.integers(0, candidates, rng.integers(0, 5)).tolist()
        base = sums[seats].sum(axis=0)
        assert blends.choose(seats).tolist() == winners(base, example)
        asked = rng.random(example[-1] + 1) < 0.8
        leader, questions, changed = blends.choose_with_each(seats, asked)
        assert set(questions.tolist()) <= set(np.flatnonzero(asked).tolist())
        for candidate in range(candidates):
            found = leader.copy()
            found[questions] = changed[candidate]
            expected = np.array(winners(base + sums[candidate], example))
            assert found[asked].tolist() == expected[asked].tolist()


@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans())
def test_what_is_dropped_wins_no_blend(seed, candidates, integers):
    rng, example, sums = draw(seed, candidates, integers)
    kept = unbeaten(sums, example)
    assert kept.tolist() == sorted(set(kept.tolist()))
    for _ in range(20):
        total = rng.integers(0, 4, candidates) @ sums
        if total.any():
            assert set(winners(total, example)) <= set(kept.tolist())
