from pathlib import Path

import numpy as np
import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.modeling import attention
from autoqa.modeling.attention import _attend
from autoqa.modeling.cpu_attention import attend_windows
from autoqa.modeling.forward import predict
from autoqa.modeling.loss import training_loss
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import PLAIN, load_for_training
from tests.modeling.conftest import make_windows, save_tiny

LENGTHS = [7, 1, 64, 33]


def one_by_one(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], scale: float
) -> torch.Tensor:
    """The same out of plain operations, whose backward pass is autograd's."""
    parts = zip(*(torch.split(t, lengths, dim=2) for t in (query, key, value)), strict=True)
    return torch.cat([_attend(*part, 0.0, scale) for part in parts], dim=2).transpose(1, 2)


def sides(dtype: torch.dtype) -> list[torch.Tensor]:
    """Query, key and value as views into a longer row of heads, as models hand them over."""
    draw = torch.Generator().manual_seed(0)
    made = [torch.randn(1, sum(LENGTHS), 3, 8, generator=draw).to(dtype) for _ in range(3)]
    return [side.transpose(1, 2).requires_grad_() for side in made]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [0.3, 8**-0.5])
def test_output_and_gradients_are_those_of_plain_operations_to_the_last_bit(
    dtype: torch.dtype, scale: float
) -> None:
    weight = torch.randn(1, sum(LENGTHS), 3, 8).to(dtype)
    results = []
    for attend in (attend_windows, one_by_one):
        inputs = sides(dtype)
        output = attend(*inputs, LENGTHS, scale)
        results.append((output, *torch.autograd.grad((output * weight).sum(), inputs)))
    for ours, plain in zip(*results, strict=True):
        assert ours.dtype == dtype
        assert torch.equal(ours, plain)


def test_gradients_are_those_of_the_fused_kernel_in_single_precision() -> None:
    inputs = sides(torch.float32)
    weight = torch.randn(1, sum(LENGTHS), 3, 8)
    results = []
    for attend in (attend_windows, one_by_one):
        output = attend(*inputs, LENGTHS, 0.3)
        results.append((output, *torch.autograd.grad((output * weight).sum(), inputs)))
    torch.testing.assert_close(*results)


def test_only_what_is_differentiated_is_kept() -> None:
    query, key, value = (side.detach() for side in sides(torch.bfloat16))
    assert attend_windows(query, key, value, LENGTHS, 1.0).grad_fn is None
    output = attend_windows(query, key, value.requires_grad_(), LENGTHS, 1.0)
    (gradient,) = torch.autograd.grad(output.sum(), value)
    assert gradient.shape == value.shape


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "distilbert", "modernbert"])
@pytest.mark.parametrize("checkpoints", [False, True])
def test_models_train_and_predict_as_with_plain_operations(
    tmp_path: Path, family: str, checkpoints: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = TrainingProtocol(dropout=0.0, gradient_checkpointing=checkpoints)
    model = load_for_training(save_tiny(tmp_path, family), protocol, seed=1)
    assert model.packs
    windows = make_windows([20, 9, 31, 9])
    batch = make_batch(windows, model.device)
    results = []
    for attend in (attend_windows, one_by_one):
        monkeypatch.setattr(attention, "attend_windows", attend)
        model.zero_grad()
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            loss = training_loss(model, batch, PLAIN)
        loss.backward()
        gradients = [p.grad.ravel() for p in model.parameters() if p.grad is not None]
        model.eval()
        logits = predict(model, windows, precision="bf16")
        results.append((loss.item(), torch.cat(gradients).numpy(), *logits))
    for ours, plain in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, plain)
