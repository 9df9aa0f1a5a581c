import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.scores.answerability import bagged_threshold, best_threshold, split_scores

_row = st.tuples(st.integers(0, 5), st.floats(0, 1), st.booleans())


def _arrays(rows):
    suspicion = np.array([row[0] / 5 for row in rows])
    none = np.array([float(row[2]) for row in rows])
    answered = np.array([0.0 if row[2] else row[1] for row in rows])
    return suspicion, answered, none


@given(st.lists(_row, min_size=1, max_size=12))
def test_no_threshold_is_better_than_the_best(rows):
    suspicion, answered, none = _arrays(rows)

    def mean(threshold):
        return np.where(suspicion > threshold, none, answered).mean()

    found = best_threshold(suspicion, answered, none)
    tried = [-np.inf, *(suspicion + 0.01), *(suspicion - 0.01), np.inf]
    assert mean(found) == pytest.approx(max(map(mean, tried)))


def test_without_a_row_that_has_none_everything_is_answered():
    suspicion, answered = np.array([0.1, 0.9]), np.array([0.5, 0.5])
    assert best_threshold(suspicion, answered, np.zeros(2)) == np.inf


def test_the_interval_holds_the_threshold_of_clear_cases():
    rng = np.random.default_rng(0)
    none = np.tile([0.0, 1.0], 50)
    suspicion = np.clip(none * 0.6 + 0.2 + rng.normal(0, 0.02, 100), 0, 1)
    documents = [f"d{i // 4}" for i in range(100)]
    middle, low, high = bagged_threshold(suspicion, 1 - none, none, documents)
    assert 0.2 < low <= best_threshold(suspicion, 1 - none, none) <= high < 0.8
    assert low <= middle <= high


def test_a_bagged_threshold_loses_less_on_new_questions_than_the_best_of_old_ones():
    rng = np.random.default_rng(0)

    def asked(documents):
        evidence = np.repeat(rng.normal(size=documents), 5) + rng.normal(size=5 * documents)
        none = (rng.random(len(evidence)) < 1 / (1 + np.exp(evidence))).astype(float)
        answered = (1 - none) * (rng.random(len(evidence)) < 0.6)
        return 1 / (1 + np.exp(evidence)), answered, none, np.arange(len(evidence)) // 5

    suspicion, answered, none, _ = asked(20_000)

    def loss(threshold):
        return -np.where(suspicion > threshold, none, answered).mean()

    best, bagged = [], []
    for _ in range(40):
        *old, documents = asked(60)
        best.append(loss(best_threshold(*old)))
        bagged.append(loss(bagged_threshold(*old, documents.astype(str).tolist())[0]))
    least = loss(best_threshold(suspicion, answered, none))
    assert np.mean(bagged) - least < 0.9 * (np.mean(best) - least)


def test_scores_are_split_by_whether_there_is_an_answer():
    none = np.array([0.0, 0.0, 1.0, 1.0])
    probability = np.array([0.1, 0.6, 0.7, 0.2])
    found = split_scores(probability > 0.5, probability, np.array([1.0, 0.5, 0.0, 0.0]), none)
    assert (found.answerable, found.unanswerable) == (2, 2)
    assert (found.has_answer, found.no_answer, found.all) == (0.5, 0.5, 0.5)
    assert found.best == pytest.approx(0.75)
    assert found.always == pytest.approx(1.5 / 4)
    # Above .15 none is given: it costs half a question and wins two.
    assert found.best_threshold == pytest.approx(0.15)
