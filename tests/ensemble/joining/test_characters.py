import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import EMPTY, best_span
from autoqa.ensemble.joining.characters import GroupLogits, _highest, character_spans
from autoqa.errors import DataError
from autoqa.types import Span
from tests.decoding.making import cut, make_contexts, peaked_logits


def tokens_of(windows, row):
    """Number, characters and farthest window token of each context token of one example."""
    for w, example in enumerate(windows.example):
        if example == row:
            low, high = (int(windows.bounds[w] + at) for at in windows.context[w])
            for token in range(low, high):
                yield token, windows.offsets[token].tolist(), high - 1


def slow_characters(groups, contexts, max_tokens):
    """All spans of every context with their scores, one token and one character at a time."""
    total = sum(seat for group in groups for seat in group.seats)
    everything = []
    for row, context in enumerate(contexts):
        starts, ends, reach = {}, {}, {}
        for group in groups:
            tokens = list(tokens_of(group.windows, row))
            for (start, end), seat in zip(group.logits, group.seats, strict=True):
                sums = [sum(math.exp(side[t]) for t, _, _ in tokens) for side in (start, end)]
                for token, (low, high), last in tokens:
                    while low < len(context) and context[low].isspace():
                        low += 1
                    while high and context[high - 1].isspace():
                        high -= 1
                    share = seat / total
                    if low < len(context):
                        starts[low] = starts.get(low, 0) + share * math.exp(start[token]) / sums[0]
                        end_token = min(token + max_tokens - 1, last)
                        far = int(group.windows.offsets[end_token][1])
                        reach[low] = max(reach.get(low, 0), far)
                    if high:
                        ends[high] = ends.get(high, 0) + share * math.exp(end[token]) / sums[1]
        everything.append(
            {
                (a, b): starts[a] * ends[b]
                for a in sorted(starts)
                for b in sorted(ends)
                if a < b <= reach[a]
            }
        )
    return everything


def made(rng, contexts, offsets, groups, limit):
    result = []
    for _ in range(groups):
        overlap = int(rng.integers(0, 2))
        windows = cut(offsets, int(rng.integers(2, 9)), overlap, shuffle=rng, limit=limit)
        models = int(rng.integers(1, 4))
        logits = [
            tuple(rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float32))
            for _ in range(models)
        ]
        result.append(GroupLogits(windows, logits, rng.integers(1, 4, models).tolist()))
    return result


@settings(max_examples=2000, deadline=None)
@given(seed=st.integers(0, 10**9), groups=st.integers(1, 3), max_tokens=st.integers(1, 6))
def test_equals_trying_every_span(seed, groups, max_tokens):
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 2, (0, 12))
    models = made(rng, contexts, offsets, groups, max_tokens)
    found = character_spans(models, contexts)
    expected = slow_characters(models, contexts, max_tokens)
    for span, context, scores in zip(found, contexts, expected, strict=True):
        if not scores:
            assert span == EMPTY
            continue
        assert span.text == context[span.start : span.end] == span.text.strip() != ""
        assert span.score == pytest.approx(max(scores.values()), rel=1e-5)
        assert scores[span.start, span.end] == pytest.approx(max(scores.values()), rel=1e-5)


def test_tokenizers_that_cut_differently_meet_at_characters():
    """One model sees ``1947,`` as one token and the other as two."""
    context = "In 1947, then"
    coarse = cut([[(0, 2), (2, 8), (8, 13)]], 9, 0)
    fine = cut([[(0, 2), (3, 7), (7, 8), (9, 13)]], 9, 0)

    def logits(windows, first, last):
        start, end = np.zeros((2, windows.bounds[-1]), np.float32)
        start[3 + first], end[3 + last] = 5, 5
        return start, end

    groups = [
        GroupLogits(coarse, [logits(coarse, 1, 1)], [1.0]),
        GroupLogits(fine, [logits(fine, 1, 1)], [2.0]),
    ]
    (span,) = character_spans(groups, [context])
    assert (span.start, span.text) == (3, "1947")
    (span,) = character_spans([*groups[:1], GroupLogits(fine, groups[1].logits, [0.5])], [context])
    assert (span.start, span.text) == (3, "1947,")


def test_equal_scores_give_the_first_start_and_then_the_first_end():
    windows = cut([[(0, 1), (2, 3), (4, 5)]], 9, 0)
    start, end = np.zeros((2, windows.bounds[-1]), np.float32)
    group = GroupLogits(windows, [(start, end)], [1.0])
    (span,) = character_spans([group], ["a b c"])
    assert (span.start, span.end, span.text) == (0, 1, "a")
    assert span.score == pytest.approx(1 / 9)


def test_one_model_in_one_window_answers_as_its_decoder_does():
    rng = np.random.default_rng(3)
    contexts = [" ".join(["ab"] * int(rng.integers(1, 200))) for _ in range(60)]
    offsets = [[(3 * i, 3 * i + 2) for i in range(len(c) // 3 + 1)] for c in contexts]
    windows = cut(offsets, 200, 0, limit=7)
    start, end = peaked_logits(rng, windows)
    found = character_spans([GroupLogits(windows, [(start, end)], [2.0])], contexts)
    expected = best_span(start, end, windows, contexts)
    assert [span[:2] for span in found] == [span[:2] for span in expected]
    assert [span.score for span in found] == pytest.approx([s.score for s in expected], rel=1e-4)


def test_long_contexts():
    rng = np.random.default_rng(0)
    contexts, offsets = make_contexts(rng, 2, 20_000)
    assert min(map(len, contexts)) > 45_000
    groups = []
    for room in (300, 420):
        windows = cut(offsets, room, 100)
        groups.append(GroupLogits(windows, [peaked_logits(rng, windows)] * 2, [1.0, 2.0]))
    for span, context in zip(character_spans(groups, contexts), contexts, strict=True):
        assert span.text == context[span.start : span.end] != ""


def test_no_token_and_no_context_give_the_empty_answer():
    windows = cut([[], [(0, 1)]], 5, 0)
    start, end = np.zeros((2, windows.bounds[-1]), np.float32)
    group = GroupLogits(windows, [(start, end)], [1.0])
    assert character_spans([group], ["", " "]) == [EMPTY, EMPTY]
    assert character_spans([group], ["", "a"]) == [EMPTY, Span(0, 1, 1.0, "a")]
    none = GroupLogits(cut([], 5, 0), [(np.zeros(0), np.zeros(0))], [1.0])
    assert character_spans([none], []) == []


def test_an_end_that_no_start_reaches_gives_the_empty_answer():
    windows = cut([[(0, 1), (2, 3)]], 9, 0)
    start, end = np.full((2, windows.bounds[-1]), -2000, np.float32)
    start[4], end[3] = 0, 0
    assert character_spans([GroupLogits(windows, [(start, end)], [1.0])], ["a b"]) == [EMPTY]


@settings(max_examples=300)
@given(st.data(), st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_highest_of_ranges(data, values):
    ranges = []
    for _ in range(8):
        low = data.draw(st.integers(0, len(values)))
        ranges.append((low, data.draw(st.integers(low, len(values)))))
    low, high = np.array(ranges).T
    found = _highest(np.array(values), low, high)
    assert found.tolist() == [max(values[a:b], default=0.0) for a, b in ranges]


def test_refuses_what_cannot_be_joined():
    windows = cut([[(0, 1)]], 5, 0)
    good = np.zeros(windows.bounds[-1], np.float32)
    with pytest.raises(ValueError, match=r"seats \[1.0, 1.0\]: one above 0 for each model"):
        character_spans([GroupLogits(windows, [(good, good)], [1.0, 1.0])], ["a"])
    with pytest.raises(ValueError, match="one above 0"):
        character_spans([GroupLogits(windows, [(good, good)], [0.0])], ["a"])
    with pytest.raises(DataError, match="other windows"):
        character_spans([GroupLogits(windows, [(good[1:], good)], [1.0])], ["a"])
    with pytest.raises(DataError, match="hold nan"):
        character_spans([GroupLogits(windows, [(good * np.nan, good)], [1.0])], ["a"])
