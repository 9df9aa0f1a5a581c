"""Log-probabilities of given fragments."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import best_spans
from autoqa.decoding.fragments import log_probabilities
from tests.decoding.making import cut, make_contexts


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), room=st.integers(2, 20))
def test_agrees_with_the_scores_of_decoded_spans(seed: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 3, (1, 30))
    windows = cut(offsets, room, int(rng.integers(0, room)), shuffle=rng, limit=room)
    start, end = rng.normal(0, 4, (2, int(windows.bounds[-1]))).astype(np.float32)
    spans = best_spans(start, end, windows, contexts, n_best=500)
    # Only spans that begin and end where tokens do, without white space cut off.
    exact = [
        {(a, b) for i, (a, _) in enumerate(places) for _, b in places[i:]} for places in offsets
    ]
    asked = [
        [s for s in found if (s.start, s.end) in edges]
        for found, edges in zip(spans, exact, strict=True)
    ]
    found = log_probabilities(
        start, end, windows, [[(s.start, s.end) for s in each] for each in asked]
    )
    for context, scores, each in zip(contexts, found, asked, strict=True):
        for span, value in zip(each, scores, strict=True):
            around = context[max(span.start - 1, 0) : span.start] + context[span.end :][:1]
            if any(map(str.isspace, around)):  # a blank token beside it may have scored higher
                assert value <= math.log(span.score) + 1e-3
            else:
                assert value == pytest.approx(math.log(span.score), abs=1e-3)


def test_parts_of_tokens_and_what_no_window_holds() -> None:
    offsets = [[(0, 4), (5, 9), (10, 14)]]
    windows = cut(offsets, 2, 0)
    start = np.array([0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 0], np.float32)[: windows.bounds[-1]]
    end = start.copy()
    inside, across = log_probabilities(start, end, windows, [[(6, 8), (5, 14)]])[0]
    scale = math.log(sum(math.exp(start[i]) for i in (3, 4, 9)))
    assert inside == pytest.approx(2 * (2 - scale), rel=1e-5)
    assert across == -math.inf
