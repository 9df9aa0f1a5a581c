import numpy as np
import pytest

from autoqa.decoding.decoder import SpanDecoder
from autoqa.training.snapshot import smallest_type
from tests.decoding.making import cut, make_contexts


def decided(start, end):
    """For ``a b c`` in one window: a question token, the three, a last token."""
    windows = cut([[(0, 1), (1, 3), (3, 5)]], room=3, overlap=0, question=1, limit=1)
    decoder = SpanDecoder(windows, ["a b c"])
    sides = [np.array([0, *side, 0], np.float32) for side in (start, end)]
    return smallest_type(decoder, *sides, decoder.best(*sides))


def test_half_precision_where_the_answers_stay():
    assert decided([1, 2, 3], [1, 2, 3]) is np.float16


@pytest.mark.parametrize(
    "start",
    [
        pytest.param([8.0, 8.001, 0], id="the better one is no longer better"),
        pytest.param([0, 70_000, 0], id="too large for half precision"),
    ],
)
def test_full_precision_where_they_would_not(start):
    assert decided(start, [0, 0, 0]) is np.float32


def test_the_answers_are_those_of_what_is_stored():
    rng = np.random.default_rng(4)
    types = set()
    for tokens in (3, 30) * 10:
        contexts, offsets = make_contexts(rng, 20, tokens)
        windows = cut(offsets, room=16, overlap=5)
        start, end = rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float32)
        decoder = SpanDecoder(windows, contexts)
        answers = decoder.best(start, end)
        chosen = smallest_type(decoder, start, end, answers)
        stored = decoder.best(start.astype(chosen), end.astype(chosen))
        assert [span.text for span in stored] == [span.text for span in answers]
        types.add(chosen)
    assert types == {np.float16, np.float32}
