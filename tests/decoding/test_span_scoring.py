"""Spans that are not scored by the plain sum, against every span one after the other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import EMPTY, SpanDecoder
from autoqa.decoding.span_scoring import SHORTEST_SPREAD, SpanScoring, fit_lengths
from tests.decoding.making import cut, exhaustive, make_contexts


def test_the_prior_of_a_hand_computed_case() -> None:
    """log p(n) = -(log n - 1)^2 / (2 * 4) - log n, here twice, at n = e^3 to within rounding."""
    prior = SpanScoring(length=2.0, log_mean=1.0, log_spread=2.0).prior
    assert prior(1) == pytest.approx(-2 * (1 / 8))
    assert prior(20) == pytest.approx(-2 * ((math.log(20) - 1) ** 2 / 8 + math.log(20)))
    assert SpanScoring().prior(20) == 0


def test_lengths_are_fitted_in_logarithms() -> None:
    mean, spread = fit_lengths(np.array([1, 1, 8, 8]))
    assert (mean, spread) == pytest.approx((math.log(8) / 2, math.log(8) / 2))
    assert fit_lengths(np.array([3, 3])) == pytest.approx((math.log(3), SHORTEST_SPREAD))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    reach=st.integers(1, 12),
    start=st.floats(0.5, 1.5),
    length=st.sampled_from([0.0, 0.5, 3.0]),
    coarse=st.booleans(),
)
def test_the_best_is_the_best_of_all_spans(
    seed: int, reach: int, start: float, length: float, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 4, (0, 14))
    windows = cut(offsets, room=6, overlap=2, shuffle=rng, limit=reach)
    logits = rng.normal(size=(2, windows.bounds[-1])).astype(np.float32) * 3
    if coarse:  # many equal scores
        logits = logits.round()
    scoring = SpanScoring(start, 2 - start, length, log_mean=0.7, log_spread=0.6)

    def scored(first: float, last: float, tokens: int) -> float:
        log = math.log(tokens)
        prior = length * -(((log - 0.7) / 0.6) ** 2 / 2 + log)
        return start * float(first) + (2 - start) * float(last) + prior

    expected = exhaustive(*logits, windows, contexts, 1, reach, scored)
    found = SpanDecoder(windows, contexts).best(*logits, scoring)
    for span, spans, context in zip(found, expected, contexts, strict=True):
        if not spans:
            assert span == EMPTY
            continue
        assert span.text == context[span.start : span.end] == spans[0].text
        assert (span.start, span.end) == (spans[0].start, spans[0].end)
        assert span.score == pytest.approx(spans[0].score, rel=1e-5)


def test_equal_weights_without_a_prior_are_the_plain_sum() -> None:
    rng = np.random.default_rng(3)
    contexts, offsets = make_contexts(rng, 30, (1, 40))
    windows = cut(offsets, room=20, overlap=5, limit=8)
    logits = rng.normal(size=(2, windows.bounds[-1])).astype(np.float32)
    decoder = SpanDecoder(windows, contexts)
    assert decoder.best(*logits, SpanScoring()) == decoder.best(*logits)


def test_without_any_context_there_is_no_answer() -> None:
    windows = cut([[]], room=4, overlap=1)
    nothing = np.zeros(windows.bounds[-1], np.float32)
    assert SpanDecoder(windows, [""]).best(nothing, nothing, SpanScoring(length=1.0)) == [EMPTY]
