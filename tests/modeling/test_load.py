from pathlib import Path

import numpy as np
import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.errors import MissingAssetError
from autoqa.modeling.forward import budget_batches, predict
from autoqa.modeling.load import (
    load_for_inference,
    load_for_training,
    pick_device,
    resolve_precision,
    rounded_state,
    save_model,
)
from tests.modeling.conftest import make_windows


def test_a_saved_model_gives_the_logits_of_the_rounded_one(tiny_bert: Path, tmp_path: Path) -> None:
    model = load_for_training(tiny_bert, TrainingProtocol(dropout=0.0), seed=3)
    state = rounded_state(model)
    save_model(model, state, tiny_bert, tmp_path / "saved")
    model.inner.load_state_dict(state)
    model.eval()
    windows = make_windows([20, 9, 31])
    loaded = load_for_inference(tmp_path / "saved")
    for a, b in zip(
        predict(model, windows, precision="fp32"), predict(loaded, windows, precision="fp32"),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(a, b)


def test_token_budget_does_not_change_logits(tiny_bert: Path) -> None:
    model = load_for_inference(tiny_bert)
    windows = make_windows([20, 9, 31, 30, 8])
    seen: list[tuple[int, int]] = []
    small = predict(
        model, windows, precision="fp32", token_budget=32, progress=lambda a, b: seen.append((a, b))
    )
    large = predict(model, windows, precision="fp32")
    np.testing.assert_allclose(small, large, atol=1e-5)
    assert seen[-1] == (5, 5)


def test_budget_batches_cover_the_order_once_and_respect_the_budget() -> None:
    lengths = np.array([5, 40, 7, 7, 30])
    order = np.array([4, 0, 1, 3, 2])
    batches = list(budget_batches(lengths, order, 35))
    assert np.concatenate(batches).tolist() == order.tolist()
    assert all(lengths[rows].sum() <= 35 or len(rows) == 1 for rows in batches)


def test_freezing_and_dropout_follow_the_protocol(tiny_bert: Path) -> None:
    protocol = TrainingProtocol(dropout=0.25, freeze_embeddings=True, frozen_layers=1)
    model = load_for_training(tiny_bert, protocol, seed=0)
    trained = {name for name, p in model.inner.named_parameters() if p.requires_grad}
    assert not any("embeddings" in name or "layer.0." in name for name in trained)
    assert any("layer.1." in name for name in trained)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.25}


def test_the_seed_decides_the_head(tiny_bert: Path) -> None:
    heads = [
        load_for_training(tiny_bert, TrainingProtocol(), seed).inner.qa_outputs.weight
        for seed in (1, 1, 2)
    ]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match=r"config\.json is missing"):
        load_for_inference(tmp_path)


def test_precision_names() -> None:
    assert resolve_precision("fp32", pick_device("cpu")) is torch.float32
    assert resolve_precision("bf16", pick_device("cpu")) is torch.bfloat16
