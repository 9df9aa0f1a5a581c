from pathlib import Path

import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.modeling.attention import _attend, _attend_jagged, _attend_masked, _dropout_mask
from autoqa.modeling.loss import training_loss
from autoqa.modeling.packing import make_batch
from autoqa.modeling.probing import WindowLayout
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from tests.modeling.conftest import make_windows, save_tiny

PROTOCOL = TrainingProtocol(dropout=0.0)


METHODS = [
    Method(),
    Method(head="conditional"),
    Method(loss="jaccard"),
    Method(head="conditional", loss="jaccard", dropout_samples=3),
]


@pytest.mark.parametrize("method", METHODS, ids=["plain", "conditional", "jaccard", "all"])
@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "distilbert"])
def test_packed_and_padded_give_the_same_logits_loss_and_gradients(
    tmp_path: Path, family: str, method: Method
) -> None:
    model = load_for_training(save_tiny(tmp_path, family), PROTOCOL, seed=1, method=method)
    assert model.packs
    batch = make_batch(make_windows([20, 9, 31, 9]), model.device)
    results = []
    layouts: tuple[WindowLayout, ...] = ("packed", "padded")
    for layout in layouts:
        model.layout = layout
        model.zero_grad()
        torch.manual_seed(5)  # the masks of multi-sample dropout
        loss = training_loss(model, batch, method)
        loss.backward()
        gradients = torch.cat([p.grad.ravel() for p in model.parameters() if p.grad is not None])
        with torch.no_grad():
            results.append((loss.item(), gradients, torch.cat(model(batch))))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    difference = (results[0][1] - results[1][1]).norm() / results[1][1].norm()
    assert difference < 1e-4
    torch.testing.assert_close(results[0][2], results[1][2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family, packs", [("bert", True), ("xlm-roberta", True)])
def test_families_that_dispatch_attention_are_packed(
    tmp_path: Path, family: str, packs: bool
) -> None:
    assert load_for_training(save_tiny(tmp_path, family), PROTOCOL, seed=1).packs is packs


@pytest.mark.parametrize("scaling", [None, 0.3])
def test_one_kernel_for_all_windows_does_what_one_call_for_each_does(
    scaling: float | None,
) -> None:
    lengths, draw = [7, 1, 12, 5], torch.Generator().manual_seed(0)
    sides = [torch.randn(1, 3, 25, 8, generator=draw, requires_grad=True) for _ in range(3)]
    weight = torch.randn(1, 25, 3, 8, generator=draw)
    together = _attend_jagged(*sides, lengths, 0.0, scaling)
    parts = zip(*(torch.split(side, lengths, dim=2) for side in sides), strict=True)
    apart = torch.cat([_attend(*part, 0.0, scaling) for part in parts], dim=2).transpose(1, 2)
    torch.testing.assert_close(together, apart)
    found, expected = (
        torch.autograd.grad((output * weight).sum(), sides) for output in (together, apart)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masks_count_inside_every_window_together_and_apart(dtype: torch.dtype) -> None:
    """Tokens see three neighbours to each side; float64 goes the way of half precision."""
    lengths, draw = [7, 1, 12, 5], torch.Generator().manual_seed(0)
    sides = [torch.randn(1, 3, 25, 8, generator=draw, dtype=dtype) for _ in range(3)]
    places = torch.arange(12)
    mask = ((places[:, None] - places).abs() <= 3)[None, None]
    together = _attend_masked(*sides, lengths, 0.0, None, mask)
    begin = 0
    for length in lengths:
        inside = slice(begin, begin + length)
        begin += length
        q, k, v = (side[:, :, inside] for side in sides)
        scores = (q @ k.transpose(2, 3) / 8**0.5).masked_fill(
            ~mask[..., :length, :length], float("-inf")
        )
        expected = scores.softmax(-1) @ v
        torch.testing.assert_close(together[:, inside].transpose(1, 2), expected)
        apart = _attend(q, k, v, 0.0, None, mask)
        torch.testing.assert_close(apart, expected)


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


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_its_share_and_the_mean_and_follows_the_seed(rate: float) -> None:
    ones = torch.ones(12, 181, 181)
    torch.manual_seed(0)
    kept = _dropout_mask(ones, rate)
    assert (kept == 0).float().mean().item() == pytest.approx(rate, abs=0.004)
    assert kept.mean().item() == pytest.approx(1, abs=0.004)
    for byte in range(8):  # all bits of a draw count the same
        assert kept.flatten()[byte::8].mean().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(kept, _dropout_mask(ones, rate))
    torch.manual_seed(0)
    assert torch.equal(kept, _dropout_mask(ones, rate))
