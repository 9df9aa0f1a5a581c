"""Adapters beside an encoder's linear layers, trained in place of its weights."""

import re
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

from autoqa.api import TrainingProtocol
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import holding, load_for_inference, rounded_state, save_model
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import make_batch
from autoqa.modeling.seq2seq import TextModel
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.optimizer import make_optimizer
from tests.modeling.architectures import save_pretrained
from tests.modeling.conftest import make_windows, save_tiny

LORA = TrainingProtocol(dropout=0.0, adapter_rank=4, precision="fp32")
FAMILIES = (
    *("bert", "xlm-roberta", "distilbert", "mpnet", "albert", "deberta-v2", "modernbert"),
    *("eurobert", "gemma3_text", "t5", "bart"),
)


def saved(folder: Path, family: str) -> Path:
    if family in FAMILIES[:7]:
        return save_tiny(folder, family)
    return save_pretrained(folder, family)


def train(model: SpanModel, protocol: TrainingProtocol, steps: int = 4) -> list[float]:
    optimizer = make_optimizer(model, protocol, 1e-3)
    batch = make_batch(make_windows([9, 30, 12]), model.device)
    losses = []
    for _ in range(steps):
        loss = training_loss(model, batch, Method())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def windows() -> Windows:
    return make_windows([9, 30, 12, 40], seed=3)


@pytest.mark.parametrize("family", FAMILIES)
def test_only_adapters_and_head_learn_and_plain_weights_are_stored(
    tmp_path: Path, family: str
) -> None:
    folder = saved(tmp_path / "pretrained", family)
    whole = load_for_training(folder, TrainingProtocol(dropout=0.0), seed=1)
    model = load_for_training(folder, LORA, seed=1)
    before = {name: tensor.clone() for name, tensor in model.state().items()}
    assert list(before) == list(whole.state())
    assert all(torch.equal(before[name], tensor) for name, tensor in whole.state().items())

    losses = train(model, LORA)
    assert losses[-1] < losses[0]
    state = model.state()
    moved = {name for name, tensor in state.items() if not torch.equal(tensor, before[name])}
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    head = {name.removeprefix("inner.") for name in trained if "lora_" not in name}
    adapted = {
        f"{name.removeprefix('inner.').partition('.lora_')[0]}.weight"
        for name in trained
        if "lora_" in name
    }
    assert moved <= head | adapted
    assert len(moved) > len(head)
    assert not any("embedding" in name or name.endswith("bias") for name in adapted)

    save_model(model, rounded_state(model), folder, tmp_path / "saved")
    stored = load_file(tmp_path / "saved" / "model.safetensors")
    assert stored.keys() == whole.state().keys()
    model.eval()
    inside = predict(model, windows(), precision="fp32")
    read = predict(load_for_inference(tmp_path / "saved"), windows(), precision="fp32")
    spread = float(inside[0].std())
    assert abs(read[0] - inside[0]).max() < 0.05 * spread, "the same but for rounding"


def test_what_is_evaluated_is_what_is_stored_and_training_goes_on_as_if_nothing_was(
    tmp_path: Path,
) -> None:
    folder = save_tiny(tmp_path / "pretrained")
    model, undisturbed = (load_for_training(folder, LORA, seed=1) for _ in range(2))
    train(model, LORA)
    train(undisturbed, LORA)
    state = rounded_state(model)
    save_model(model, state, folder, tmp_path / "saved")
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    with holding(model, state):
        inside = predict(model, windows(), precision="fp32")
        held = model.state()
        assert all(torch.equal(held[name], tensor.float()) for name, tensor in state.items())
    stored = load_for_inference(tmp_path / "saved")
    for ours, theirs in zip(inside, predict(stored, windows(), precision="fp32"), strict=True):
        assert (ours == theirs).all()
    assert all(torch.equal(own[name], tensor) for name, tensor in model.state_dict().items())
    assert {name for name, p in model.named_parameters() if p.requires_grad} == learning
    assert train(model, LORA) == train(undisturbed, LORA)


def test_equal_seeds_give_equal_adapters(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    one, same, other = (load_for_training(folder, LORA, seed) for seed in (1, 1, 2))
    (name,) = [n for n in one.state_dict() if "layer.0.attention.self.query.lora_A" in n]
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])


def test_adapters_learn_at_their_own_rate_and_the_head_no_slower(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    protocol = LORA.model_copy(update={"layer_decay": 0.5, "head_multiplier": 3.0})
    model = load_for_training(folder, protocol, seed=1)

    def rates(changed: TrainingProtocol) -> list[float]:
        return sorted(
            {group["peak"] for group in make_optimizer(model, changed, 1e-4).param_groups}
        )

    assert rates(protocol) == pytest.approx([5e-4, 1e-3])
    fast_head = protocol.model_copy(update={"head_multiplier": 20.0, "adapter_multiplier": 4.0})
    assert rates(fast_head) == pytest.approx([2e-4, 4e-4, 2e-3])


def adapted_layers(model: SpanModel) -> set[str]:
    return {
        name.partition(".lora_A")[0].rpartition("encoder.layer.")[2]
        for name, _ in model.named_parameters()
        if ".lora_A" in name
    }


def test_attention_only_and_frozen_layers_without(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    frozen = {"frozen_layers": 1, "freeze_embeddings": True, "adapter_modules": "attention"}
    model = load_for_training(folder, LORA.model_copy(update=frozen), seed=1)
    names = ("self.query", "self.key", "self.value", "output.dense")
    assert adapted_layers(model) == {f"1.attention.{name}" for name in names}
    everywhere = adapted_layers(load_for_training(folder, LORA, seed=1))
    assert {"0.intermediate.dense", "0.output.dense", "1.output.dense"} < everywhere
    assert len(everywhere) == 12


def test_what_frozen_layers_give_is_kept_below_adapters(tmp_path: Path) -> None:
    frozen = {"frozen_layers": 1, "freeze_embeddings": True, "cache_frozen": True}
    model = load_for_training(save_tiny(tmp_path), LORA.model_copy(update=frozen), seed=1)
    assert model.frozen is not None
    assert not model.notes


def test_dropout_of_adapters_is_their_own(tmp_path: Path) -> None:
    protocol = LORA.model_copy(update={"adapter_dropout": 0.3})
    model = load_for_training(save_tiny(tmp_path), protocol, seed=1)
    rates = {m.p: n for n, m in model.named_modules() if isinstance(m, torch.nn.Dropout) and m.p}
    assert set(rates) == {0.3}
    assert "lora_dropout" in rates[0.3]


@pytest.mark.parametrize("change", [{"gradient_checkpointing": True}, {"precision": "bf16"}])
def test_gradients_reach_adapters(tmp_path: Path, change: dict[str, object]) -> None:
    protocol = LORA.model_copy(update=change)
    model = load_for_training(save_tiny(tmp_path), protocol, seed=1)
    half = protocol.precision == "bf16"
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss = training_loss(model, make_batch(make_windows([9, 30]), model.device), Method())
    loss.backward()
    gradients = [p.grad for n, p in model.named_parameters() if "lora_B" in n]
    assert gradients
    assert all(g is not None and g.dtype == torch.float32 and g.abs().max() > 0 for g in gradients)


@pytest.mark.parametrize(
    "family, change, why",
    [
        ("bert", {"frozen_layers": 2}, "finds no linear layer in the 0 layers of BertModel"),
        ("fnet", {"adapter_modules": "attention"}, '"attention" finds no linear .*; take "all"'),
    ],
)
def test_an_encoder_without_such_layers_is_refused(
    tmp_path: Path, family: str, change: dict[str, object], why: str
) -> None:
    folder = saved(tmp_path, family)
    with pytest.raises(ConfigError, match=why):
        load_for_training(folder, LORA.model_copy(update=change), seed=1)


def test_layers_that_begin_anew_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"reinit_layers = 1 draws .*adapter_rank = 0"):
        load_for_training(save_tiny(tmp_path), LORA, seed=1, method=Method(reinit_layers=1))


def test_without_the_package_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoqa.registry.bound.find_spec", lambda name: None)
    with pytest.raises(MissingAssetError, match=re.escape("pip install 'autoqa[lora]'")):
        load_for_training(save_tiny(tmp_path), LORA, seed=1)


@pytest.mark.parametrize(
    "change",
    [
        {"adapter_alpha": 8},
        {"adapter_dropout": 0.1},
        {"adapter_modules": "attention"},
    ],
)
def test_keys_of_adapters_without_any_are_refused(change: dict[str, object]) -> None:
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} = .* is about adapters.* set adapter_rank"):
        TrainingProtocol(**change)
    TrainingProtocol(**change, adapter_rank=2)


def test_models_that_generate_take_them_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=60, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        initializer_factor=3.0, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path / "pretrained")
    models = [
        load_for_training(tmp_path / "pretrained", protocol, seed=1, kind="text")
        for protocol in (LORA, TrainingProtocol(dropout=0.0))
    ]
    model, whole = models
    assert isinstance(model, TextModel)
    assert list(model.state()) == list(whole.state())
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert all("lora_" in name for name in trained)
    assert {name.split(".")[1] for name in trained} == {"encoder", "decoder"}
    optimizer = make_optimizer(model, LORA, 1e-3)
    batch = make_batch(make_windows([9, 30, 12]), model.device)
    losses = []
    for _ in range(6):
        loss = model.loss(batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    state = rounded_state(model)
    save_model(model, state, tmp_path / "pretrained", tmp_path / "saved")
    with holding(model, state):
        inside = model.loss(batch).item()
    stored = load_for_inference(tmp_path / "saved")
    assert isinstance(stored, TextModel)
    assert stored.loss(batch).item() == pytest.approx(inside, rel=1e-5)
