import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.errors import BundleError, ConfigError, MissingAssetError
from autoqa.modeling.forward import budget_batches, predict
from autoqa.modeling.load import (
    check_length,
    load_for_inference,
    most_positions,
    pick_device,
    resolve_precision,
    rounded_state,
    save_model,
)
from autoqa.modeling.loss import training_loss
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Head, Method
from tests.modeling.conftest import make_windows, save_tiny

CONDITIONAL = Method(head="conditional")


@pytest.mark.parametrize("head", ["independent", "conditional"])
def test_a_saved_model_gives_the_logits_of_the_rounded_one(
    tiny_bert: Path, tmp_path: Path, head: Head
) -> None:
    protocol, method = TrainingProtocol(dropout=0.0), Method(head=head)
    model = load_for_training(tiny_bert, protocol, seed=3, method=method)
    state = rounded_state(model)
    save_model(model, state, tiny_bert, tmp_path / "saved")
    model.load_state(state)
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


@pytest.fixture
def conditional(tiny_bert: Path, tmp_path: Path) -> Path:
    """A saved model with an extra head."""
    model = load_for_training(tiny_bert, TrainingProtocol(), seed=3, method=CONDITIONAL)
    save_model(model, rounded_state(model), tiny_bert, tmp_path / "conditional")
    return tmp_path / "conditional"


def test_an_extra_head_is_named_and_stored_beside_the_inner_model(conditional: Path) -> None:
    assert json.loads((conditional / "config.json").read_text())["autoqa_head"] == "conditional"
    names = load_file(conditional / "model.safetensors").keys()
    assert {n for n in names if "head" in n} == {
        f"autoqa_head.{layer}.{kind}"
        for layer in ("join", "norm", "score")
        for kind in ("weight", "bias")
    }


def test_training_on_from_a_model_with_an_extra_head_takes_the_methods_head(
    conditional: Path, tmp_path: Path
) -> None:
    model = load_for_training(conditional, TrainingProtocol(), seed=3)
    assert model.head is None
    save_model(model, rounded_state(model), conditional, tmp_path / "plain")
    assert "autoqa_head" not in json.loads((tmp_path / "plain" / "config.json").read_text())
    assert load_for_inference(tmp_path / "plain").head is None


def test_an_unknown_head_is_refused(conditional: Path) -> None:
    config = json.loads((conditional / "config.json").read_text())
    (conditional / "config.json").write_text(json.dumps({**config, "autoqa_head": "pointer"}))
    with pytest.raises(BundleError, match="names the answer head 'pointer', but this autoqa knows"):
        load_for_inference(conditional)


def test_a_head_without_its_weights_is_refused(conditional: Path) -> None:
    state = load_file(conditional / "model.safetensors")
    del state["autoqa_head.join.bias"]
    save_file(state, conditional / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BundleError, match="does not hold the answer head 'conditional'"):
        load_for_inference(conditional)


def test_weights_of_another_head_are_not_loaded_in_silence(tiny_bert: Path) -> None:
    plain = load_for_training(tiny_bert, TrainingProtocol(), seed=3)
    model = load_for_training(tiny_bert, TrainingProtocol(), seed=3, method=CONDITIONAL)
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state(plain.state())


@pytest.mark.parametrize(
    "method, sentence",
    [
        (CONDITIONAL, 'head = "conditional" needs .* ModernBertForQuestionAnswering is not; set '
         'head = "independent" or take another backbone'),
        (Method(dropout_samples=4), "dropout_samples = 4 needs .* set dropout_samples = 1"),
    ],
)  # fmt: skip
def test_methods_that_an_architecture_does_not_take_are_refused(
    tmp_path: Path, method: Method, sentence: str
) -> None:
    folder = save_tiny(tmp_path, "modernbert")
    with pytest.raises(ConfigError, match=sentence):
        load_for_training(folder, TrainingProtocol(), seed=0, method=method)
    model = load_for_training(folder, TrainingProtocol(), seed=0)
    batch = make_batch(make_windows([20, 9]), model.device)
    assert torch.isfinite(training_loss(model, batch, Method(loss="jaccard")))


@pytest.mark.parametrize(
    "method, changes, sentence",
    [
        (Method(rdrop=1.0), {"dropout": 0.0}, "rdrop = 1 compares two passes .*'s dropout"),
        (Method(adversary="fgm"), {"compile": True}, '= "fgm" reaches .* compile = false'),
        (
            Method(adversary="fgm"),
            {"cache_frozen": True, "freeze_embeddings": True, "frozen_layers": 1},
            '= "fgm" changes .* cache_frozen = false',
        ),
        (Method(reinit_layers=3), {}, "reinit_layers = 3 is more .* has 2 layers; set .* = 2 or"),
        (Method(reinit_layers=2), {"frozen_layers": 1},
         "has 2 layers, of which 1 are frozen; set reinit_layers = 1 or less"),
    ],
)  # fmt: skip
def test_methods_that_contradict_the_protocol_are_refused(
    tiny_bert: Path, method: Method, changes: dict[str, object], sentence: str
) -> None:
    protocol = TrainingProtocol().model_copy(update=changes)
    with pytest.raises(ConfigError, match=sentence):
        load_for_training(tiny_bert, protocol, seed=0, method=method)


def test_r_drop_is_content_with_the_dropout_of_samples(tiny_bert: Path) -> None:
    method = Method(rdrop=1.0, dropout_samples=2)
    model = load_for_training(tiny_bert, TrainingProtocol(dropout=0.0), seed=0, method=method)
    assert torch.isfinite(training_loss(model, make_batch(make_windows([9]), model.device), method))


def drawn(folder: Path, layers: int, seed: int = 1) -> dict[str, torch.Tensor]:
    method = Method(reinit_layers=layers)
    return load_for_training(folder, TrainingProtocol(), seed, method=method).state()


def test_top_layers_begin_as_the_model_draws_fresh_ones(tmp_path: Path) -> None:
    """Of pretrained weights that are all 7 nothing is left in the top layer, all elsewhere."""
    folder = save_tiny(tmp_path)
    file = folder / "model.safetensors"
    weights = {name: torch.full_like(value, 7.0) for name, value in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})
    plain, anew = drawn(folder, 0), drawn(folder, 1)
    top = {name for name in plain if ".layer.1." in name}
    assert {name for name in plain if not torch.equal(plain[name], anew[name])} == top
    for name in top:
        if name.endswith(".bias"):
            assert not anew[name].any()
        elif "LayerNorm" in name:
            assert (anew[name] == 1).all()
        else:
            assert anew[name].std().item() == pytest.approx(0.02, rel=0.1)
    again, other = drawn(folder, 1), drawn(folder, 1, seed=2)
    assert all(torch.equal(again[name], anew[name]) for name in anew)
    assert not torch.equal(other[max(top)], anew[max(top)])
    assert all((value != 7).all() for name, value in drawn(folder, 2).items() if ".layer." in name)


def test_a_layer_between_encoder_and_head_is_noticed(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_for_training(tiny_bert, TrainingProtocol(), seed=0)
    assert model.splits()
    encoder = model.inner.bert.forward

    def squashed(*values: object, **arguments: object) -> object:
        output = encoder(*values, **arguments)
        output.last_hidden_state = output.last_hidden_state.tanh()
        return output

    class Between(nn.Module):
        forward = staticmethod(squashed)

    monkeypatch.setitem(model.inner._modules, "bert", Between())
    monkeypatch.setattr(type(model.inner), "base_model", encoder.__self__)
    assert not model.splits()


@pytest.mark.parametrize(
    "family, most",
    [("bert", 80), ("xlm-roberta", 78), ("mpnet", 78), ("deberta-v2", None), ("modernbert", None)],
)
def test_the_longest_window_is_that_of_the_position_table(
    tmp_path: Path, family: str, most: int | None
) -> None:
    folder = save_tiny(tmp_path, family)
    assert most_positions(folder) == most
    check_length(folder, 78, "stage 1")
    if most is None:
        check_length(folder, 10**6, "stage 1")
        return
    with pytest.raises(ConfigError, match=rf"^stage 1: length {most + 1} is beyond the {most} "):
        check_length(folder, most + 1, "stage 1")
    model = load_for_inference(folder)
    with torch.no_grad():
        model(make_batch(make_windows([most, 9]), model.device))


def gradients(folder: Path, protocol: TrainingProtocol, method: Method) -> torch.Tensor:
    model = load_for_training(folder, protocol, seed=1, method=method)
    torch.manual_seed(2)
    training_loss(model, make_batch(make_windows([20, 9, 31]), model.device), method).backward()
    return torch.cat([p.grad.ravel() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("method", [Method(), CONDITIONAL], ids=["plain", "conditional"])
@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_gradient_checkpointing_gives_equal_gradients(
    tiny_bert: Path, method: Method, frozen_layers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    checkpoint = torch.utils.checkpoint.checkpoint

    def counted(*arguments: object, use_reentrant: bool, **others: object) -> object:
        calls.append(use_reentrant)
        return checkpoint(*arguments, use_reentrant=use_reentrant, **others)

    monkeypatch.setattr("transformers.modeling_utils.checkpoint", counted)
    protocol = TrainingProtocol(dropout=0.3, frozen_layers=frozen_layers)
    plain = gradients(tiny_bert, protocol, method)
    assert calls == []
    saving = protocol.model_copy(update={"gradient_checkpointing": True})
    assert torch.equal(gradients(tiny_bert, saving, method), plain)
    assert calls == [False, False]  # both layers, not re-entrant


def test_gradient_checkpointing_is_refused_where_transformers_cannot(tmp_path: Path) -> None:
    protocol = TrainingProtocol(gradient_checkpointing=True)
    with pytest.raises(ConfigError, match=r"AlbertForQuestionAnswering is not; set gradient_ch"):
        load_for_training(save_tiny(tmp_path, "albert"), protocol, seed=0)
