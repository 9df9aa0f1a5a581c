from pathlib import Path

import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.modeling.load import load_for_training
from autoqa.modeling.loss import span_loss
from autoqa.modeling.packing import _attend, make_batch
from tests.modeling.conftest import make_windows, save_tiny

PROTOCOL = TrainingProtocol(dropout=0.0)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "distilbert"])
def test_packed_and_padded_give_the_same_logits_loss_and_gradients(
    tmp_path: Path, family: str
) -> None:
    model = load_for_training(save_tiny(tmp_path, family), PROTOCOL, seed=1)
    batch = make_batch(make_windows([20, 9, 31, 9]), model.device)
    results = []
    for forward in (model.forward, model.forward_padded):
        model.zero_grad()
        loss = span_loss(*forward(batch), batch)
        loss.backward()
        gradients = torch.cat([p.grad.ravel() for p in model.parameters() if p.grad is not None])
        results.append((loss.item(), gradients))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    difference = (results[0][1] - results[1][1]).norm() / results[1][1].norm()
    assert difference < 1e-4


@pytest.mark.parametrize("family, packs", [("bert", True), ("xlm-roberta", True)])
def test_families_that_dispatch_attention_are_packed(
    tmp_path: Path, family: str, packs: bool
) -> None:
    assert load_for_training(save_tiny(tmp_path, family), PROTOCOL, seed=1).packs is packs


def test_the_loss_of_a_hand_computed_case() -> None:
    """Two windows; three and two candidates; logits 0 make every candidate equally likely."""
    windows = make_windows([6, 7])
    batch = make_batch(windows, torch.device("cpu"))
    zeros = torch.zeros(13)
    # window 0: first token + 2 context tokens; window 1: first token + 3 context tokens
    expected = (torch.log(torch.tensor(3.0)) + torch.log(torch.tensor(4.0))) / 2
    assert span_loss(zeros, zeros, batch).item() == pytest.approx(expected.item())


def test_question_tokens_do_not_change_the_loss() -> None:
    batch = make_batch(make_windows([12, 15]), torch.device("cpu"))
    logits = torch.randn(27, generator=torch.Generator().manual_seed(0))
    moved = torch.where(batch.allowed, logits, logits + 50)
    assert span_loss(logits, logits, batch).item() == span_loss(moved, moved, batch).item()


@pytest.mark.parametrize("scaling", [None, 0.3])
def test_half_precision_attention_is_the_fused_kernel_s_up_to_rounding(
    scaling: float | None,
) -> None:
    draw = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 3, 70, 8, generator=draw) for _ in range(3))
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=scaling)
    with torch.inference_mode():
        plain = _attend(q.bfloat16(), k.bfloat16(), v.bfloat16(), 0.0, scaling)
    assert plain.shape == fused.shape
    assert (plain.float() - fused).abs().max() < 0.02
