"""Runs whose frozen layers are computed once per window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.features.cache import FeatureCache
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch, make_batch
from autoqa.modeling.training_setup import PLAIN, load_for_training
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.run_folder import RunFolder
from autoqa.training import lower_layers
from autoqa.training.jobs import TrialJob
from autoqa.training.lower_layers import LowerLayers
from autoqa.training.messages import Message, RecipeCard
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from tests.modeling.conftest import make_windows, save_tiny
from tests.toy_study import write_study

PROTOCOL = TrainingProtocol(
    dropout=0.0, freeze_embeddings=True, frozen_layers=1, cache_frozen=True, precision="bf16"
)
PLAIN_STAGE = Stage((Portion("train", share=0.5),), 32, 8)
CUTOUT = Stage((Portion("train"),), 32, 8, (AugmentationUse("cutout", (("share", 0.2),)),))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of every window that goes through the frozen layers by itself."""
    lengths: list[int] = []
    plain = SpanModel.lower

    def lower(model: SpanModel, batch: Batch) -> torch.Tensor:
        lengths.extend(batch.lengths)
        return plain(model, batch)

    monkeypatch.setattr(SpanModel, "lower", lower)
    return lengths


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny-bert"))


def opened(model: SpanModel, folder: Path, dtype: torch.dtype = torch.bfloat16) -> LowerLayers:
    return LowerLayers(model, dtype, FeatureCache(folder).activations, 1)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "modernbert", "deberta-v2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_those_of_training_through_the_frozen_layers(
    tmp_path: Path, family: str, dtype: torch.dtype
) -> None:
    model = load_for_training(save_tiny(tmp_path / "model", family), PROTOCOL, seed=1)
    batch = make_batch(make_windows([20, 9, 31, 9, 40]), model.device)
    lower = opened(model, tmp_path / "cache", dtype)
    results = []
    for each in (batch, lower.fill(batch), lower.fill(batch)):
        model.zero_grad()
        with torch.autocast("cpu", dtype, dtype != torch.float32):
            loss = training_loss(model, each, PLAIN)
        loss.backward()
        gradients = [p.grad.ravel() for p in model.parameters() if p.grad is not None]
        results.append((loss.item(), torch.cat(gradients)))
    assert results[1][0] == pytest.approx(results[0][0], rel=1e-2)
    difference = (results[1][1] - results[0][1]).norm() / results[0][1].norm()
    assert difference < (1e-4 if dtype == torch.float32 else 1e-2)
    assert results[1][0] == results[2][0], "made or found is the same"
    assert torch.equal(results[1][1], results[2][1])


def test_a_window_is_computed_once_whoever_it_comes_with(
    tmp_path: Path, tiny_bert: Path, computed: list[int]
) -> None:
    model = load_for_training(tiny_bert, PROTOCOL, seed=1)
    computed.clear()  # what the model was probed with
    batch = make_batch(make_windows([20, 9, 31]), model.device)
    first = opened(model, tmp_path).fill(batch).lower
    assert first is not None
    assert computed == [20, 9, 31]
    again = opened(load_for_training(tiny_bert, PROTOCOL, seed=2), tmp_path)
    computed.clear()
    alone = again.fill(batch.window(1)).lower
    assert computed == []
    assert torch.equal(alone, first[20:29])
    other = replace(batch.window(1), input_ids=batch.window(1).input_ids.flip(0))
    again.fill(other)
    assert computed == [9]


def test_the_weights_and_the_arithmetic_are_in_the_key(tmp_path: Path, tiny_bert: Path) -> None:
    model = load_for_training(tiny_bert, PROTOCOL, seed=1)
    keys = {lower_layers._key(model, 1, torch.bfloat16)}
    keys.add(lower_layers._key(model, 2, torch.bfloat16))
    keys.add(lower_layers._key(model, 1, torch.float32))
    upper, lowest = (model.inner.bert.encoder.layer[n].output.dense.bias for n in (1, 0))
    upper.data[0] += 1
    assert lower_layers._key(model, 1, torch.bfloat16) in keys, "a layer above does not matter"
    lowest.data[0] += 1
    keys.add(lower_layers._key(model, 1, torch.bfloat16))
    assert len(keys) == 4


@pytest.fixture
def make_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workbench]:
    """Makes a workbench whose toy backbone has its first layer frozen."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path)
    text = study.read_text()

    def make(name: str, keep: bool = True, dropout: float = 0.0) -> Workbench:
        protocol = f"dropout = {dropout}\nfreeze_embeddings = true\nfrozen_layers = 1\n"
        protocol += "cache_frozen = true" if keep else ""
        study.write_text(text.replace("dropout = 0.1", protocol))
        return Workbench(open_study(study), tmp_path / "runs" / name)

    return make


def weights(bench: Workbench, *stages: Stage) -> tuple[bytes, list[Message]]:
    messages: list[Message] = []
    run = TrainingRun(Recipe(stages), 5e-3, 11)
    run_trial(TrialJob(3, "toy", run, bench.run_folder), bench, messages.append)
    folder = RunFolder(bench.run_folder).path / "candidates" / "t0003-100" / "model"
    return (folder / "model.safetensors").read_bytes(), messages


def test_runs_train_the_same_from_a_cold_and_a_warm_cache_and_without_room(
    make_frozen: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch, computed: list[int]
) -> None:
    cold, _ = weights(make_frozen("cold"), PLAIN_STAGE, CUTOUT)
    made = len(computed)
    computed.clear()
    warm, _ = weights(make_frozen("warm"), PLAIN_STAGE, CUTOUT)
    assert warm == cold
    probes = 2  # two made-up windows, when the model is loaded
    assert made > probes
    assert len(computed) == probes
    monkeypatch.setenv("AUTOQA_CACHE_GIB", "0")
    monkeypatch.setattr(lower_layers, "_key", lambda *_: "another")
    assert weights(make_frozen("none"), PLAIN_STAGE, CUTOUT)[0] == cold
    assert len(computed) > 2 * probes


def test_windows_with_masked_tokens_are_not_kept(
    make_frozen: Callable[..., Workbench], computed: list[int], tmp_path: Path
) -> None:
    weights(make_frozen("masked"), CUTOUT)
    assert len(computed) == 2, "the probe's"
    assert not list(tmp_path.rglob("rows"))


def test_what_is_not_kept_is_on_the_card(make_frozen: Callable[..., Workbench]) -> None:
    _, messages = weights(make_frozen("noted", dropout=0.2), PLAIN_STAGE)
    (card,) = (m for m in messages if isinstance(m, RecipeCard))
    assert "set dropout = 0" in card.lines[-1]


def test_keys_of_checkpoints_are_as_before_where_nothing_is_kept(
    make_frozen: Callable[..., Workbench],
) -> None:
    off, on = (make_frozen(str(keep), keep) for keep in (False, True))
    assert "cache_frozen" not in off.backbone_key("toy")["protocol"]
    assert on.backbone_key("toy")["protocol"]["cache_frozen"] is True
