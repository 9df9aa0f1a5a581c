import numpy as np

from autoqa.scores.ladder import best_so_far, ladder_rungs
from autoqa.scores.standard_errors import Spread

DOCUMENTS = [f"d{i // 2}" for i in range(80)]


def test_moves_only_for_more_than_one_standard_error():
    rng = np.random.default_rng(0)
    first = rng.uniform(0.4, 0.8, 80)
    noise = first + rng.normal(0.001, 0.3, 80)  # a tiny gain in a lot of noise
    rungs = ladder_rungs(Spread([first, noise, first + 0.1, first - 0.2], DOCUMENTS))
    assert [rung.best for rung in rungs] == [0, 0, 2, 2]
    assert [rung.moved for rung in rungs] == [True, False, True, False]
    assert rungs[0].gain is None
    assert rungs[2].gain is not None
    assert abs(rungs[2].gain - 0.1) < 1e-12
    assert rungs[1].standard_error is not None
    assert rungs[1].gain < rungs[1].standard_error


def test_equal_candidates_never_move_it():
    scores = np.full(80, 0.5)
    assert best_so_far(Spread([scores, scores], DOCUMENTS)) == 0


def test_the_best_of_noise_rarely_moves():
    """Fifty candidates that differ by noise alone: few pass, where every maximum would."""
    rng = np.random.default_rng(1)
    truth = rng.random(80)
    candidates = [truth + rng.normal(0, 0.1, 80) for _ in range(50)]
    assert sum(rung.moved for rung in ladder_rungs(Spread(candidates, DOCUMENTS))) <= 6


def test_one_document_never_moves_it():
    assert best_so_far(Spread([[0, 0], [1, 1]], ["d", "d"])) == 0
