"""Weights that were saved in half precision are trained and asked in single precision.

transformers loads a model in the type that it was saved in, unless it is told otherwise.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from autoqa.api import TrainingProtocol
from autoqa.export import onnx_convert
from autoqa.features.windows import Windows
from autoqa.modeling import onnx_runtime
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.modeling.model import SpanModel
from autoqa.modeling.soup import average_models
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from tests.modeling.architectures import save_pretrained
from tests.modeling.conftest import make_windows, save_tiny

PROTOCOL = TrainingProtocol(dropout=0.0, precision="fp32")
FAMILIES = ["bert", "xlm-roberta", "modernbert", "eurobert", "gemma3_text", "t5", "bart"]


def saved(folder: Path, family: str) -> Path:
    return (save_tiny if family in FAMILIES[:3] else save_pretrained)(folder, family)


def halved(folder: Path, dtype: torch.dtype) -> None:
    """As models trained in half precision are published: weights and config say so."""
    path = folder / "model.safetensors"
    state = {n: w.to(dtype) if w.is_floating_point() else w for n, w in load_file(path).items()}
    save_file(state, path, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = str(dtype).removeprefix("torch.")
    (folder / "config.json").write_text(json.dumps(config))


def pair(root: Path, family: str, dtype: torch.dtype) -> tuple[Path, Path]:
    """One model in half precision, and the same numbers in single precision."""
    half, single = (saved(root / name, family) for name in ("half", "single"))
    halved(half, dtype)
    path = single / "model.safetensors"
    state = {n: w.float() if w.is_floating_point() else w for n, w in
             load_file(half / "model.safetensors").items()}  # fmt: skip
    save_file(state, path, metadata={"format": "pt"})
    return half, single


def types(model: SpanModel) -> set[torch.dtype]:
    tensors = [*model.parameters(), *model.state().values()]
    return {tensor.dtype for tensor in tensors if tensor.is_floating_point()}


def losses(model: SpanModel) -> list[float]:
    engine = Engine(model, PROTOCOL, 1e-3, LearningRate(Method(), (4,), 0.1), seed=0)
    assert {t.dtype for t in engine.tensors().values() if t.is_floating_point()} == {torch.float32}
    return [engine.train(windows()).loss for _ in range(4)]


def windows() -> Windows:
    return make_windows([9, 30, 12])


@pytest.mark.parametrize(
    "family, dtype",
    [*((family, torch.bfloat16) for family in FAMILIES), ("bert", torch.float16)],
)
def test_training_is_that_of_the_same_numbers_in_single_precision(
    tmp_path: Path, family: str, dtype: torch.dtype
) -> None:
    half, single = pair(tmp_path, family, dtype)
    assert transformers.AutoModel.from_pretrained(half).dtype == dtype, "left to itself"
    models = [load_for_training(folder, PROTOCOL, seed=1) for folder in (half, single)]
    assert types(models[0]) == {torch.float32}
    assert models[0].layout == models[1].layout
    assert losses(models[0]) == losses(models[1])
    assert types(models[0]) == {torch.float32}


@pytest.mark.parametrize(
    "family, dtype, head",
    [
        ("bert", torch.float16, "independent"),
        ("bert", torch.bfloat16, "conditional"),
        ("eurobert", torch.bfloat16, "independent"),
    ],
)
def test_what_is_stored_answers_in_single_precision(
    tmp_path: Path, family: str, dtype: torch.dtype, head: str
) -> None:
    """A candidate's file is in half precision itself; its config says nothing of the backbone's."""
    half, _ = pair(tmp_path, family, dtype)
    model = load_for_training(half, PROTOCOL, seed=1, method=Method(head=head))
    state = rounded_state(model)
    save_model(model, state, half, tmp_path / "stored")
    assert {w.dtype for w in state.values() if w.is_floating_point()} == {torch.float16}
    config = json.loads((tmp_path / "stored" / "config.json").read_text())
    assert config.get("dtype", "float32") == "float32"
    stored = load_for_inference(tmp_path / "stored", "cpu")
    assert types(stored) == {torch.float32}
    model.load_state({n: w.float() if w.is_floating_point() else w for n, w in state.items()})
    model.eval()
    for ours, theirs in zip(
        *(predict(each, windows(), precision="fp32") for each in (model, stored)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_whatever_a_stored_config_says(tmp_path: Path) -> None:
    """Bundles of others, or edited by hand."""
    folder = saved(tmp_path / "pretrained", "bert")
    model = load_for_training(folder, PROTOCOL, seed=1)
    save_model(model, rounded_state(model), folder, tmp_path / "stored")
    expected = predict(load_for_inference(tmp_path / "stored"), windows(), precision="fp32")
    halved(tmp_path / "stored", torch.float16)
    read = load_for_inference(tmp_path / "stored")
    assert types(read) == {torch.float32}
    assert all(map(np.array_equal, predict(read, windows(), precision="fp32"), expected))


@pytest.mark.slow
def test_means_of_weights_and_onnx(tmp_path: Path) -> None:
    half, _ = pair(tmp_path, "bert", torch.bfloat16)
    for seed in (1, 2):
        model = load_for_training(half, PROTOCOL, seed=seed)
        save_model(model, rounded_state(model), half, tmp_path / f"stored-{seed}")
    average_models([tmp_path / "stored-1", tmp_path / "stored-2"], tmp_path / "mean")
    mean = load_for_inference(tmp_path / "mean", "cpu")
    assert types(mean) == {torch.float32}
    expected = predict(mean, windows(), precision="fp32")
    onnx_convert.convert(tmp_path / "mean", tmp_path / "onnx", "onnx", windows())
    found = onnx_runtime.predict(onnx_runtime.load(tmp_path / "onnx" / "model.onnx"), windows())
    for one, other in zip(expected, found, strict=True):
        assert other.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-4)
