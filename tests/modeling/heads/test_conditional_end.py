from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from autoqa.modeling.heads.conditional_end import BEAM, UNREACHED, ConditionalEnd
from autoqa.modeling.loss import span_loss
from autoqa.modeling.packing import Batch, make_batch
from tests.modeling.conftest import make_windows

CPU = torch.device("cpu")


@pytest.fixture
def signs() -> ConditionalEnd:
    """A head of two hidden units that scores +a or -a, with exp(2a) = 3.

    The joint layer is tanh(h_i + h_s); the norm makes (1, -1) or (-1, 1) of any two numbers,
    whichever is larger; the score is a times the first. So ends have odds of 3 or 1.
    """
    head = ConditionalEnd(2)
    with torch.no_grad():
        head.join.weight.copy_(torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1]]))
        head.score.weight.copy_(torch.tensor([[log(3) / 2, 0]]))
    return head


HIDDEN = torch.tensor([[0.0, 1], [0, 0], [0, 0], [0, 0], [2, 0], [0, 3]])
"""Six tokens of which 0, 4 and 5 are allowed. Sums whose first number is the larger are marked:

    start 0: end 0 (0, 2), end 4 (2, 1)*, end 5 (0, 4)
    start 4: end 0 (2, 1)*, end 4 (4, 0)*, end 5 (2, 3)
    start 5: end 0 (0, 4), end 4 comes too early, end 5 (0, 6)
"""
STARTS = torch.tensor([0.0, 9, 9, 9, log(2), 0])
"""P(start) = 1/4, 1/2, 1/4 over the allowed tokens."""


def test_ends_given_the_labelled_start(signs: ConditionalEnd) -> None:
    batch = make_batch(make_windows([6]), CPU)
    end = signs(HIDDEN, torch.tensor([4]), batch)
    allowed = end[batch.allowed]
    assert allowed.softmax(0).tolist() == pytest.approx([3 / 7, 3 / 7, 1 / 7])
    late = signs(HIDDEN, torch.tensor([5]), batch)[batch.allowed]
    assert late.softmax(0).tolist() == pytest.approx([1 / 2, 0, 1 / 2])
    batch.label.copy_(torch.tensor([[4, 5]]))
    expected = (-log(1 / 2) - log(1 / 7)) / 2
    assert span_loss(STARTS, end, batch).item() == pytest.approx(expected)


def test_ends_summed_over_the_beam(signs: ConditionalEnd) -> None:
    batch = make_batch(make_windows([6]), CPU)
    found = signs.marginal(HIDDEN, STARTS, batch)[batch.allowed].exp()
    assert found.tolist() == pytest.approx(
        [
            1 / 4 * 1 / 5 + 1 / 2 * 3 / 7 + 1 / 4 * 1 / 2,
            1 / 4 * 3 / 5 + 1 / 2 * 3 / 7,
            1 / 4 * 1 / 5 + 1 / 2 * 1 / 7 + 1 / 4 * 1 / 2,
        ]
    )


def by_hand(head: ConditionalEnd, hidden: torch.Tensor, starts: torch.Tensor) -> list[float]:
    """One window, context from token 4, without vectors over tokens or starts; probabilities."""
    allowed = [0, *range(4, len(hidden))]
    beam = sorted(allowed, key=lambda i: -starts[i].item())[:BEAM]
    total = [0.0] * len(hidden)
    for start, weight in zip(beam, starts[beam].softmax(0).tolist(), strict=True):
        ends = [i for i in allowed if i >= start or i == 0]
        scores = [
            head.score(head.norm(torch.tanh(head.join(torch.cat([hidden[i], hidden[start]])))))
            for i in ends
        ]
        for i, probability in zip(ends, torch.cat(scores).softmax(0).tolist(), strict=True):
            total[i] += weight * probability
    return total


@given(st.lists(st.integers(5, 20), min_size=1, max_size=4), st.integers(0, 1000))
def test_the_beam_of_a_packed_batch_is_that_of_each_window(lengths: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    head = ConditionalEnd(4, spread=1.0)
    batch = make_batch(make_windows(lengths), CPU)
    hidden, starts = torch.randn(sum(lengths), 4), 3 * torch.randn(sum(lengths))
    with torch.no_grad():
        found = head.marginal(hidden, starts, batch)
        assert torch.isfinite(found).all()
        parts = (torch.split(t, lengths) for t in (found, hidden, starts))
        for logits, states, scores in zip(*parts, strict=True):
            expected = torch.tensor(by_hand(head, states, scores))
            reached = expected > 0
            torch.testing.assert_close(
                logits[reached].exp(), expected[reached], atol=1e-5, rtol=1e-4
            )
            lowest = logits[reached].min() - UNREACHED
            torch.testing.assert_close(logits[~reached], lowest.expand((~reached).sum()))


def test_gradients_reach_the_head_and_both_ends_of_the_encoder(signs: ConditionalEnd) -> None:
    batch: Batch = make_batch(make_windows([9, 6]), CPU)
    head = ConditionalEnd(4, spread=1.0)
    hidden = torch.randn(15, 4, requires_grad=True)
    batch.label.copy_(torch.tensor([[5, 7], [4, 4]]))
    span_loss(torch.zeros(15), head(hidden, batch.label[:, 0], batch), batch).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in head.parameters())
    assert hidden.grad is not None
    # Tokens after the start and the first one compete; the start takes part in all of them.
    moved = hidden.grad.abs().sum(1) > 0
    assert moved.tolist() == [i in (0, 5, 6, 7, 8) for i in range(9)] + [
        i in (0, 4, 5) for i in range(6)
    ]


def test_fresh_weights_have_the_spread_that_is_asked_for() -> None:
    head = ConditionalEnd(64, spread=0.1)
    assert head.join.weight.std().item() == pytest.approx(0.1, rel=0.1)
    assert isinstance(head.norm, nn.LayerNorm)
    assert not head.join.bias.any()
