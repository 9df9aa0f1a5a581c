import numpy as np
import pytest

from autoqa.ensemble.evaluator import Evaluator
from autoqa.ensemble.greedy import Chooser
from autoqa.ensemble.limits import Limits

from .making import field


def slow_greedy(evaluator, weights, seats, contenders):
    """One group, no cap: add whatever gives the highest mean, every ensemble scored anew."""

    def mean(state):
        return float(weights @ evaluator.scores(tuple(state), weights) / weights.sum())

    state = [0] * contenders
    path = []
    for _ in range(seats):
        options = []
        for i in range(contenders):
            larger = list(state)
            larger[i] += 1
            options.append((mean(larger), larger))
        state = max(options, key=lambda option: option[0])[1]
        path.append((mean(state), tuple(state)))
    best = max(value for value, _ in path)
    return next(s for value, s in path if value >= best - 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_greedy_equals_the_slow_one(seed):
    examples, windows, candidates = field(seed, count=90, noises=((3.4, 3.6, 3.8, 4.0, 4.2),))
    evaluator = Evaluator(candidates, windows, examples, 48)
    weights = np.random.default_rng(seed).uniform(0.5, 2, len(examples))  # so there are no ties
    documents = np.arange(len(examples)) // 2
    chooser = Chooser(evaluator, documents, weights, Limits(6, 6))
    assert chooser.mean(chooser.greedy()) == pytest.approx(
        chooser.mean(slow_greedy(evaluator, weights, 6, len(candidates)))
    )
