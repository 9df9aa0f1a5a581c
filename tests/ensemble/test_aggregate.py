import numpy as np
import pytest

from autoqa.ensemble.aggregate import Member, aggregate
from autoqa.ensemble.blend import blend
from autoqa.ensemble.vote import vote
from autoqa.text.decode import best_span

from ..text.making import cut, make_contexts


@pytest.fixture(scope="module")
def stored():
    rng = np.random.default_rng(0)
    contexts, offsets = make_contexts(rng, 40, (0, 60))
    windows = {
        "a": cut(offsets, 20, 5),
        "b": cut(offsets, 30, 8),
        "c": cut(offsets, 12, 0),
    }
    logits = {
        name + str(i): tuple(rng.normal(0, 4, (2, w.bounds[-1])).astype(np.float32))
        for name, w in windows.items()
        for i in range(2)
    }
    return contexts, windows, logits


def test_blends_within_and_votes_across(stored):
    contexts, windows, logits = stored
    members = [Member("a0", "a", 2), Member("c0", "c"), Member("a1", "a"), Member("b1", "b", 0.5)]
    answers = aggregate(members, logits, windows, contexts, best="c")
    mean = [(2 * logits["a0"][i] + logits["a1"][i]) / 3 for i in (0, 1)]
    by_group = [
        best_span(*mean, windows["a"], contexts),
        best_span(*logits["c0"], windows["c"], contexts),
        best_span(*logits["b1"], windows["b"], contexts),
    ]
    expected = [
        vote(spans, c, 1) for spans, c in zip(zip(*by_group, strict=True), contexts, strict=True)
    ]
    assert [(a.start, a.end, a.text) for a in answers] == [
        (e.start, e.end, e.text) for e in expected
    ]


def test_one_group_is_its_blend(stored):
    contexts, windows, logits = stored
    answers = aggregate(
        [Member("a0", "a"), Member("a1", "a")],
        logits,
        windows,
        contexts,
        best="a",
        max_answer_tokens=3,
    )
    start, end = blend([logits["a0"], logits["a1"]])
    assert answers == best_span(start, end, windows["a"], contexts, 3)


def test_the_best_group_must_have_a_member(stored):
    contexts, windows, logits = stored
    with pytest.raises(ValueError, match=r"best group 'b' has no member; the groups are \['a'\]"):
        aggregate([Member("a0", "a")], logits, windows, contexts, best="b")
