from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import SpanDecoder, best_span, best_spans
from autoqa.errors import DataError
from autoqa.types import Span
from tests.decoding.making import cut, exhaustive, like_run_qa, make_contexts, peaked_logits


def same(ours, reference, scores=True):
    assert len(ours) == len(reference)
    for mine, theirs in zip(ours, reference, strict=True):
        assert [(s.start, s.end, s.text) for s in mine] == [
            (s.start, s.end, s.text) for s in theirs
        ]
        if scores:
            assert [s.score for s in mine] == pytest.approx([s.score for s in theirs], rel=1e-4)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_best=st.integers(1, 25),
    max_tokens=st.integers(1, 9),
    room=st.integers(2, 20),
    tied=st.booleans(),
)
def test_equals_trying_every_span(seed, n_best, max_tokens, room, tied):
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 4, (0, 40))
    windows = cut(offsets, room, int(rng.integers(0, room)), shuffle=rng, limit=max_tokens)
    tokens = int(windows.bounds[-1])
    if tied:  # small whole numbers: many equal scores, so the order of ties is tested
        start, end = rng.integers(-2, 3, (2, tokens)).astype(np.float32)
    else:
        start, end = rng.normal(0, 4, (2, tokens)).astype(np.float32)
    expected = exhaustive(start, end, windows, contexts, n_best, max_tokens)
    same(best_spans(start, end, windows, contexts, n_best), expected)
    singles = best_span(start, end, windows, contexts)
    same([[s] if s.text else [] for s in singles], [spans[:1] for spans in expected])


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_published_loop_where_it_sees_every_token(seed):
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 300, (1, 60))
    windows = cut(offsets, room=16, overlap=5)  # 20 tokens, all among the best 20
    start, end = rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float32)
    expected = like_run_qa(start, end, windows, contexts)
    same(best_spans(start, end, windows, contexts), expected, scores=False)


def test_spans_of_one_example_from_many_windows():
    rng = np.random.default_rng(5)
    contexts, offsets = make_contexts(rng, 20, (300, 900))
    windows = cut(offsets, room=100, overlap=40, limit=10)
    start, end = peaked_logits(rng, windows)
    same(
        best_spans(start, end, windows, contexts, 20),
        exhaustive(start, end, windows, contexts, 20, 10),
    )


@pytest.mark.parametrize(("limit", "whole"), [(48, False), (119, False), (120, True), (200, True)])
def test_answers_are_as_long_as_the_windows_say(limit, whole):
    contexts, offsets = ["ab " * 150], [[(3 * i, 3 * i + 2) for i in range(150)]]
    start, end = np.zeros((2, 154), np.float32)
    start[3 + 10], end[3 + 129] = 9, 9  # 120 tokens
    (span,) = best_span(start, end, cut(offsets, 150, 0, limit=limit), contexts)
    assert ((span.start, span.end) == (30, 389)) == whole
    assert len(span.text.split()) <= limit


def test_a_limit_beyond_any_window_takes_no_room():
    rng = np.random.default_rng(2)
    contexts, offsets = make_contexts(rng, 3, (0, 12))
    windows = cut(offsets, room=8, overlap=3)
    start, end = rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float32)
    same(
        best_spans(start, end, replace(windows, max_answer_tokens=10**9), contexts),
        exhaustive(start, end, windows, contexts, 20, 10**9),
    )


def test_the_probability_of_a_span_is_over_all_windows():
    rng = np.random.default_rng(0)
    contexts, offsets = make_contexts(rng, 1, 12)
    windows = cut(offsets, room=5, overlap=2)
    start = end = np.zeros(windows.bounds[-1], np.float32)
    tokens = int((windows.context[:, 1] - windows.context[:, 0]).sum())
    assert best_span(start, end, windows, contexts)[0].score == pytest.approx(1 / tokens**2)


def test_examples_without_windows_or_words():
    windows = cut([[(0, 1), (1, 2)], [], [(0, 2)]], room=4, overlap=0)
    logits = np.zeros(windows.bounds[-1], np.float32)
    contexts = [" \n", "", "ab", "never cut"]
    assert best_spans(logits, logits, windows, contexts) == [[], [], [Span(0, 2, 1.0, "ab")], []]
    empty = Span(0, 0, 0.0, "")
    assert best_span(logits, logits, windows, contexts) == [
        empty,
        empty,
        Span(0, 2, 1, "ab"),
        empty,
    ]


def test_no_examples_at_all():
    windows = cut([], room=4, overlap=0)
    none = np.zeros(0, np.float32)
    assert best_spans(none, none, windows, []) == []
    assert best_span(none, none, windows, []) == []


def test_half_precision_logits_are_welcome():
    rng = np.random.default_rng(1)
    contexts, offsets = make_contexts(rng, 5, 30)
    windows = cut(offsets, room=10, overlap=3)
    start, end = rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float16)
    same(
        best_spans(start, end, windows, contexts),
        best_spans(start.astype(np.float32), end.astype(np.float32), windows, contexts),
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_broken_logits_are_refused(bad):
    contexts, offsets = make_contexts(np.random.default_rng(1), 2, 8)
    windows = cut(offsets, room=10, overlap=3)
    logits = np.zeros(windows.bounds[-1], np.float32)
    broken = logits.copy()
    broken[-3] = bad
    for decode in (best_span, best_spans):
        with pytest.raises(DataError, match=r"logits of example 1 hold (nan|inf)"):
            decode(logits, broken, windows, contexts)
    with pytest.raises(DataError, match="made for other windows"):
        best_span(logits[1:], logits, windows, contexts)


def test_wrong_arguments():
    windows = cut([], room=4, overlap=0)
    with pytest.raises(ValueError, match="max_answer_tokens is 0"):
        SpanDecoder(cut([], room=4, overlap=0, limit=0), [])
    with pytest.raises(ValueError, match="n_best is 0"):
        SpanDecoder(windows, []).n_best(np.zeros(0), np.zeros(0), 0)
