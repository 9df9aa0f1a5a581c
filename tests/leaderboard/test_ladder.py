import numpy as np
import pytest

from autoqa.leaderboard.ladder import best_so_far, climb

DOCUMENTS = [f"d{i // 2}" for i in range(80)]


def test_moves_only_for_more_than_one_standard_error():
    rng = np.random.default_rng(0)
    first = rng.uniform(0.4, 0.8, 80)
    noise = first + rng.normal(0.001, 0.3, 80)  # a tiny gain in a lot of noise
    better = first + 0.1
    worse = first - 0.2
    rungs = climb([("a", first), ("b", noise), ("c", better), ("d", worse)], DOCUMENTS)
    assert [rung.best for rung in rungs] == ["a", "a", "c", "c"]
    assert [rung.moved for rung in rungs] == [True, False, True, False]
    assert rungs[0].gain is None
    assert rungs[2].gain is not None
    assert rungs[2].gain.gain == pytest.approx(0.1)
    assert rungs[3].mean == pytest.approx(worse.mean())


def test_equal_candidates_never_move_it():
    scores = np.full(80, 0.5)
    assert best_so_far([("a", scores), ("b", scores)], DOCUMENTS) == "a"


def test_the_best_of_noise_rarely_moves():
    """Fifty candidates that differ by noise alone: few pass, where every maximum would."""
    rng = np.random.default_rng(1)
    truth = rng.random(80)
    candidates = [(str(i), truth + rng.normal(0, 0.1, 80)) for i in range(50)]
    moves = sum(rung.moved for rung in climb(candidates, DOCUMENTS, rounds=400))
    assert moves <= 6


def test_one_document_never_moves_it():
    assert best_so_far([("a", [0, 0]), ("b", [1, 1])], ["d", "d"]) == "a"


def test_no_candidates():
    assert climb([], []) == ()
    assert best_so_far([], []) is None
