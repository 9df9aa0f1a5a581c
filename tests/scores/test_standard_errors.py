import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores.bootstrap import interval, paired
from autoqa.scores.standard_errors import Spread


def uneven(seed, candidates=3, documents=50):
    """Scores of documents with one to seven questions each."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 8, documents)
    level = rng.normal(0.5, 0.2, documents).repeat(sizes)
    scores = np.clip(level + rng.normal(0, 0.3, (candidates, len(level))), 0, 1)
    names = [f"d{i}" for i, size in enumerate(sizes) for _ in range(size)]
    return scores, names


def test_errors_are_those_of_the_bootstrap():
    scores, names = uneven(0)
    spread = Spread(scores, names)
    drawn = interval(scores[0], names, rounds=20000)
    assert spread.means[0] == pytest.approx(drawn.mean)
    assert spread.error(0) == pytest.approx(drawn.half_width / 1.96, rel=0.06)
    gap = paired(scores[0], scores[1], names, rounds=20000)
    assert spread.gap_error(0, 1) == pytest.approx(gap.standard_error, rel=0.06)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.randoms())
def test_the_order_of_questions_and_the_names_of_documents_do_not_matter(seed, documents, order):
    scores, names = uneven(seed, documents=documents)
    spread = Spread(scores, names)
    places = list(range(len(names)))
    order.shuffle(places)
    other = Spread(scores[:, places], [f"x{names[i]}" for i in places])
    assert other.means == pytest.approx(spread.means)
    assert other.gap_errors(1) == pytest.approx(spread.gap_errors(1))
    assert other.error(2) == pytest.approx(spread.error(2))
    assert spread.gap_errors(1)[1] == 0
    assert spread.gap_errors(1)[0] == pytest.approx(spread.gap_error(0, 1))


def test_one_document_says_nothing_of_others():
    spread = Spread([[0, 1], [1, 1]], ["d", "d"])
    assert (spread.error(0), spread.gap_error(0, 1), spread.document_count) == (1, 1, 1)
    assert spread.gap_errors(0).tolist() == [1, 1]


@pytest.mark.parametrize("scores, documents", [([[]], []), ([[0.5]], ["a", "b"])])
def test_one_document_per_score(scores, documents):
    with pytest.raises(ValueError, match="one each"):
        Spread(scores, documents)
