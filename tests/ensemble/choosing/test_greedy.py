import numpy as np
import pytest

from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.evaluation.evaluator import Evaluator
from tests.ensemble.making import field


def slow_climb(evaluator, weights, seats, most, options):
    """Adds whatever gives the highest mean, every ensemble scored anew."""
    path = [seats]
    while len(seats) < most:
        seats = max(((*seats, i) for i in options), key=lambda s: evaluator.mean(s, weights))
        path.append(seats)
    best = max(evaluator.mean(s, weights) for s in path)
    return next(s for s in path if evaluator.mean(s, weights) >= best - 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_the_slow_one(seed):
    examples, windows, candidates = field(seed, count=90, noises=((3.4, 3.6, 3.8, 4.0, 4.2),))
    evaluator = Evaluator(candidates, windows, examples)
    weights = np.random.default_rng(seed).uniform(0.5, 2, len(examples))  # so there are no ties
    documents = np.arange(len(examples)) // 2
    chooser = Chooser(evaluator, documents, weights, EnsembleLimits(seats=6, recipe_cap=6))
    slow = slow_climb(evaluator, weights, chooser.single(), 6, range(len(candidates)))
    assert chooser.mean(chooser.greedy()) == pytest.approx(chooser.mean(slow))


def test_a_quota_is_filled_with_the_best_and_then_again():
    examples, windows, candidates = field(3, noises=((1.9,), (2.2, 1.9, 2.6), (1.9,)))
    evaluator = Evaluator(candidates, windows, examples)
    documents, weights = np.arange(len(examples)) // 2, np.ones(len(examples))
    chooser = Chooser(evaluator, documents, weights, EnsembleLimits(seats=7, quota=2))
    assert chooser.starts(chooser.ranking) == {0: (0, 0), 1: (2, 1), 2: (4, 4)}
    # Of groups that cannot have their quota together the best come first; two vote as one.
    few = Chooser(evaluator, documents, weights, EnsembleLimits(seats=5, quota=2))
    assert len(evaluator.seated_groups(few.greedy())) == 1


def test_plain_greedy_is_the_climb_from_the_best_one():
    """Without gate, cap, quota and admission, against the obvious loop over three groups."""
    examples, windows, candidates = field(7, count=60)
    evaluator = Evaluator(candidates, windows, examples)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(examples))
    limits = EnsembleLimits(seats=7, recipe_cap=7, alike=0.0)
    chooser = Chooser(evaluator, np.arange(len(examples)) // 2, weights, limits)
    for start in ((0,), (0, 3, 5)):
        groups = set(evaluator.seated_groups(start))
        options = [i for i in range(len(candidates)) if evaluator.group_of[i] in groups]
        assert chooser.mean(chooser.climb(start, options)) == pytest.approx(
            chooser.mean(slow_climb(evaluator, weights, start, 7, options))
        )
