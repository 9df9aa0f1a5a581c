"""Which runs are given up at a snapshot."""

import numpy as np
import pytest

from autoqa.planning.hopeless import MARGIN, is_hopeless, rivals_of
from tests.store.test_study_tables import with_jaccard

QUESTIONS = 5


def documents(count: int) -> list[str]:
    return [f"d{number // QUESTIONS}" for number in range(count * QUESTIONS)]


def scores(count: int, mean: float, seed: int, spread: float = 0.2) -> np.ndarray:
    return mean + np.random.default_rng(seed).normal(0, spread, count * QUESTIONS)


@pytest.mark.parametrize(
    "count, behind, hopeless",
    [(20, 0.3, True), (20, MARGIN - 0.05, False), (20, 0.0, False), (20, -0.3, False)],
)
def test_much_and_certainly_worse_is_hopeless(count: int, behind: float, hopeless: bool) -> None:
    best = scores(count, 0.6, 0)
    assert is_hopeless(scores(count, 0.6 - behind, 1), best, documents(count)) is hopeless


def test_few_documents_say_nothing() -> None:
    assert not is_hopeless(scores(6, 0.1, 1), scores(6, 0.9, 0), documents(6))
    enough = 7
    assert not is_hopeless(scores(7, 0.1, 1), scores(7, 0.9, 0), documents(7), rivals=2)
    assert is_hopeless(scores(enough, 0.1, 1), scores(enough, 0.9, 0), documents(enough))


def test_one_bad_document_is_no_certainty() -> None:
    names = documents(10)
    best = np.full(len(names), 0.5)
    worse = np.where(np.array(names) == "d0", -1.0, 0.5)

    assert best.mean() - worse.mean() > MARGIN
    assert not is_hopeless(worse, best, names)


def test_equal_runs_are_given_up_hardly_ever() -> None:
    """The best of four equal ones is lucky, and yet hardly any of them is far enough behind."""
    rng, given_up, names = np.random.default_rng(0), 0, documents(12)
    for _ in range(60):
        pool = rng.normal(0.5, 0.4, (5, len(names)))
        best = max(pool[:4], key=np.mean)
        given_up += is_hopeless(pool[4], best, names, rivals=4)
    assert given_up <= 2


def test_compared_is_the_same_point_of_a_run_of_the_same_backbone() -> None:
    candidate = with_jaccard(0.2, id="t0009-050", trial=9, fraction=0.5)
    records = [
        candidate,
        with_jaccard(0.3, id="t0001-050", trial=1, fraction=0.5),
        with_jaccard(0.4, id="t0002-050", trial=2, fraction=0.502),
        with_jaccard(0.9, id="t0001-100", trial=1, fraction=1.0),
        with_jaccard(0.9, id="t0003-050", trial=3, fraction=0.5, backbone="minilm"),
        with_jaccard(0.9, id="t0004-050", trial=4, fraction=0.5),
        with_jaccard(0.9, id="soup-e5-abc", trial=2, fraction=0.5, ingredients=("t0001-050",)),
    ]
    rivals = rivals_of(candidate, records, trials=[1, 2, 3])
    assert [rival.id for rival in rivals] == ["t0002-050", "t0001-050"]
    assert rivals_of(candidate, records, trials=[3]) == []
