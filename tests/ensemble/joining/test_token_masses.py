"""Distributions of one tokenizer's models on another's tokens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.joining.characters import GroupLogits
from autoqa.ensemble.joining.token_masses import token_masses
from autoqa.features.windows import Windows
from tests.decoding.making import cut, make_contexts


def as_windows(fake):
    """The whole value that training knows; what masses do not look at is empty."""
    tokens = int(fake.bounds[-1])
    none = np.zeros(tokens, np.int32)
    label = np.zeros((len(fake.example), 2), np.int32)
    return Windows(
        input_ids=none,
        type_ids=none,
        offsets=fake.offsets,
        starts_word=none.astype(bool),
        bounds=fake.bounds,
        example=fake.example,
        context=fake.context,
        label=label,
    )


def random_logits(rng, windows):
    return tuple(rng.normal(0, 4, (2, windows.bounds[-1])).astype(np.float32))


def cells(windows):
    """Window, example and place of each context token, in order."""
    for w, row in enumerate(windows.example.tolist()):
        low, high = (int(windows.bounds[w] + at) for at in windows.context[w])
        for token in range(low, high):
            yield w, row, token


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_every_window_has_a_mass_of_one_on_its_context_and_first_token(seed):
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 3, (0, 12))
    others = [[(0, len(text))] if text else [] for text in contexts]
    own = cut(offsets, int(rng.integers(2, 9)), int(rng.integers(0, 2)), shuffle=rng)
    theirs = cut(others if seed % 2 else offsets, int(rng.integers(2, 9)), 1, shuffle=rng)
    group = GroupLogits(theirs, [random_logits(rng, theirs)], [1.0])
    windows = as_windows(own)
    masses = token_masses([group], windows, contexts)
    assert (masses >= 0).all()
    sums = np.add.reduceat(masses, windows.bounds[:-1], axis=0)
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    outside = np.ones(len(masses), bool)
    outside[windows.bounds[:-1]] = False
    outside[[token for _, _, token in cells(windows)]] = False
    assert not masses[outside].any()


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_same_tokens_get_back_what_the_model_said(seed):
    """Words, each a token, in one window: nothing is outside and nothing has to be shared."""
    rng = np.random.default_rng(seed)
    words = [[(4 * k, 4 * k + int(rng.integers(1, 4))) for k in range(n)] for n in (1, 7, 12)]
    contexts = ["".join("x" * (b - a) + " " * (4 - b + a) for a, b in row) for row in words]
    own = cut(words, 20, 0, shuffle=rng)
    start, end = random_logits(rng, own)
    masses = token_masses([GroupLogits(own, [(start, end)], [1.0])], as_windows(own), contexts)
    inside = [[t for w, _, t in cells(own) if w == n] for n in range(3)]
    for tokens in inside:
        for side, logits in enumerate((start, end)):
            shares = np.exp(logits[tokens]) / np.exp(logits[tokens]).sum()
            np.testing.assert_allclose(masses[tokens, side], shares, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(masses[own.bounds[:-1]], 0, atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_windows_that_do_not_overlap_share_a_context_s_mass(seed):
    """What one window calls "not here" the others have."""
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 2, (1, 12))
    own = cut(offsets, int(rng.integers(2, 6)), 0, shuffle=rng)
    theirs = cut(offsets, int(rng.integers(2, 9)), 1, shuffle=rng)
    group = GroupLogits(theirs, [random_logits(rng, theirs)], [1.0])
    masses = token_masses([group], as_windows(own), contexts)
    for row, context in enumerate(contexts):
        tokens = [t for _, example, t in cells(own) if example == row]
        total = masses[tokens].sum(axis=0)
        assert (total <= 1 + 1e-6).all()
        if context.strip() == context and not any(context[a:b].isspace() for a, b in offsets[row]):
            np.testing.assert_allclose(total, 1, atol=1e-6)


def test_tokens_that_cut_otherwise_get_mass_as_labels_are_given():
    """``1947,`` is one token of the teacher and two of the pupil, and the other way round."""
    context = "In 1947, then"
    coarse = cut([[(0, 2), (2, 8), (8, 13)]], 9, 0)
    fine = cut([[(0, 2), (3, 7), (7, 8), (9, 13)]], 9, 0)
    logits = np.full((2, coarse.bounds[-1]), -50, np.float32)
    logits[:, 4] = 50
    masses = token_masses(
        [GroupLogits(coarse, [tuple(logits)], [1.0])], as_windows(fine), [context]
    )
    assert masses[3:7].round(6).tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
    logits = np.full((2, fine.bounds[-1]), -50, np.float32)
    logits[0, 4], logits[1, 4:6] = 50, 50
    masses = token_masses(
        [GroupLogits(fine, [tuple(logits)], [1.0])], as_windows(coarse), [context]
    )
    assert masses[3:6].round(6).tolist() == [[0, 0], [1, 1], [0, 0]]


def test_what_lies_outside_a_window_means_no_answer_here():
    context = "a b c d"
    whole = cut([[(0, 1), (2, 3), (4, 5), (6, 7)]], 9, 0)
    halves = cut([[(0, 1), (2, 3), (4, 5), (6, 7)]], 2, 0)
    logits = np.full((2, whole.bounds[-1]), -50, np.float32)
    logits[0, 4], logits[1, 5] = 50, 50
    masses = token_masses(
        [GroupLogits(whole, [tuple(logits)], [1.0])], as_windows(halves), [context]
    )
    first, second = masses[:6].round(6), masses[6:].round(6)
    assert first.tolist() == [[0, 1], [0, 0], [0, 0], [0, 0], [1, 0], [0, 0]]
    assert second.tolist() == [[1, 0], [0, 0], [0, 0], [0, 1], [0, 0], [0, 0]]


def test_seats_must_be_positive():
    windows = cut([[(0, 1)]], 5, 0)
    logits = random_logits(np.random.default_rng(0), windows)
    with pytest.raises(ValueError, match="one above 0"):
        token_masses([GroupLogits(windows, [logits], [0.0])], as_windows(windows), ["a"])


def test_no_windows_have_no_mass():
    none = as_windows(cut([], 5, 0))
    group = GroupLogits(cut([], 5, 0), [(np.zeros(0), np.zeros(0))], [1.0])
    assert token_masses([group], none, []).shape == (0, 2)
