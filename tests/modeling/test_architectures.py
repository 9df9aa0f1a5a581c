"""Each architecture gives what its own code gives for single texts, and trains; or is refused."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from autoqa.api import TrainingProtocol
from autoqa.errors import BundleError, ConfigError
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, most_positions, rounded_state, save_model
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import make_batch
from autoqa.modeling.span_encoder import SpanEncoder
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from tests.modeling.architectures import save_pretrained
from tests.modeling.conftest import make_windows

PROTOCOL = TrainingProtocol(dropout=0.0)

LAYOUTS = {
    "modernbert": "packed",
    "eurobert": "packed",
    "nomic_bert": "packed",
    "gte": "packed",
    "llama, both sides": "packed",
    "gemma3_text": "masked",
    "longformer": "padded",
    "big_bird": "padded",
    "led": "padded",
    "bart": "padded",
    "t5": "padded",
    "mt5": "padded",
    "umt5": "padded",
    "longt5": "padded",
    "rembert": "padded",
    "mpnet": "padded",
    "splinter": "padded",
    "deberta-v2": "padded",
    "fnet": "single",
}
OWN_HEAD = (
    *("eurobert", "gemma3_text", "nomic_bert", "gte", "big_bird"),
    *("t5", "mt5", "umt5", "longt5"),
)


def saved(folder: Path, architecture: str, method: Method | None = None) -> Path:
    """A model with a head, saved as candidates are."""
    pretrained = save_pretrained(folder / "pretrained", architecture)
    model = load_for_training(pretrained, PROTOCOL, seed=3, method=method or Method())
    save_model(model, rounded_state(model), pretrained, folder / "saved")
    return folder / "saved"


def texts() -> Windows:
    """Windows in the order of no length, laid out as RoBERTa lays out a pair: three separators."""
    windows = make_windows([9, 60, 9, 31])
    ids = windows.input_ids.copy()
    ids[ids == 3] = 4
    for begin, end in zip(windows.bounds[:-1], windows.bounds[1:], strict=True):
        ids[[begin + 2, begin + 3, end - 1]] = 3
    object.__setattr__(windows, "input_ids", ids)
    return windows


def own_forward(folder: Path, model: SpanModel, windows: Windows) -> list[np.ndarray]:
    """What transformers' classes give, one text at a time, without anything of autoqa's."""
    state = load_file(folder / "model.safetensors")
    config = transformers.AutoConfig.from_pretrained(folder)
    linear = None
    if isinstance(model.inner, SpanEncoder):
        whole = transformers.AutoModel.from_config(config, attn_implementation="eager")
        inner: Any = whole.get_encoder() if config.is_encoder_decoder else whole
        prefix = "encoder."
        inner.load_state_dict(
            {k.removeprefix(prefix): v.float() for k, v in state.items() if k.startswith(prefix)}
        )
        linear = [state[f"qa_outputs.{name}"].float() for name in ("weight", "bias")]
    else:
        inner = transformers.AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=torch.float32
        )
    inner.eval()
    pairs = []
    for begin, end in zip(windows.bounds[:-1], windows.bounds[1:], strict=True):
        ids = torch.from_numpy(windows.input_ids[None, begin:end].astype(np.int64))
        seen: dict[str, torch.Tensor] = {}
        if config.model_type == "led":  # its own code leaves the question's attention to the caller
            before = torch.arange(len(ids[0])) < int(windows.context[len(pairs), 0])
            seen["global_attention_mask"] = before[None].long()
        with torch.no_grad():
            output = inner(input_ids=ids, attention_mask=torch.ones_like(ids), **seen)
        if linear is None:
            pairs.append((output.start_logits[0], output.end_logits[0]))
        else:
            pairs.append(torch.nn.functional.linear(output[0][0], *linear).unbind(-1))
    return [torch.cat(part).numpy() for part in zip(*pairs, strict=True)]


@pytest.mark.parametrize("architecture", LAYOUTS)
def test_windows_together_get_what_the_model_s_own_code_gives_each(
    tmp_path: Path, architecture: str
) -> None:
    folder = saved(tmp_path, architecture)
    model = load_for_inference(folder, "cpu")
    assert model.layout == LAYOUTS[architecture]
    assert isinstance(model.inner, SpanEncoder) is (architecture in OWN_HEAD)
    expected = own_forward(folder, model, texts())
    spread = float(np.std(expected[0]))
    assert spread > 0.01
    for part, own in zip(predict(model, texts(), precision="fp32"), expected, strict=True):
        np.testing.assert_allclose(part, own, atol=1e-3 * spread)


@pytest.mark.parametrize("architecture", LAYOUTS)
def test_they_train(tmp_path: Path, architecture: str) -> None:
    folder = save_pretrained(tmp_path, architecture)
    protocol = TrainingProtocol(dropout=0.0, freeze_embeddings=True)
    model = load_for_training(folder, protocol, seed=1)
    embeddings = model.inner.get_input_embeddings().weight
    assert not embeddings.requires_grad
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3)
    batch = make_batch(make_windows([9, 30, 12]), model.device)
    losses = []
    for _ in range(6):
        loss = training_loss(model, batch, Method())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("architecture", ["eurobert", "gemma3_text", "t5", "fnet"])
def test_an_extra_head_and_more_dropout_masks_go_on_them(tmp_path: Path, architecture: str) -> None:
    method = Method(head="conditional", dropout_samples=2)
    folder = saved(tmp_path, architecture, method)
    model = load_for_inference(folder, "cpu")
    assert model.head is not None
    batch = make_batch(texts(), model.device)
    together = model(batch)
    alone = [torch.cat(parts) for parts in zip(*map(model, batch.windows()), strict=True)]
    for some, others in zip(together, alone, strict=True):
        torch.testing.assert_close(some, others, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "architecture, why",
    [
        (
            "longformer",
            "padded, not packed, .*: LongformerForQuestionAnswering has an attention of",
        ),
        ("t5", "padded, not packed, .*: T5Stack has a position_bias in its attention"),
        ("bart", "padded, not packed, .*: BartForQuestionAnswering reads from left to right"),
        ("fnet", "run one after the other, .*: FNetForQuestionAnswering gives other logits then, "),
    ],
)
def test_why_windows_are_not_packed_is_told(tmp_path: Path, architecture: str, why: str) -> None:
    model = load_for_training(save_pretrained(tmp_path, architecture), PROTOCOL, seed=1)
    assert len(model.notes) == 1
    assert re.search(why, model.notes[0])


def test_a_probe_that_fails_in_any_way_means_padded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoqa.modeling import attention

    def raises(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(attention, "_attend", raises)
    model = load_for_training(save_pretrained(tmp_path, "eurobert"), PROTOCOL, seed=1)
    assert model.layout == "padded"
    assert model.notes[0].endswith("EuroBertModel fails then (ZeroDivisionError: by zero)")


@pytest.mark.parametrize(
    "architecture, why",
    [
        ("falcon", "the falcon model in .* reads from left to right"),
        ("gptj", "the gptj model in .* reads from left to right"),
        ("mpt", "the mpt model in .* cannot be run on text alone"),
        ("llama", "the llama model in .* reads from left to right"),
        ("modernbert-decoder", "the modernbert-decoder model in .* reads from left to right"),
        ("gemma3_text, one side", "reads from left to right.*use_bidirectional_attention"),
        ("lxmert", "cannot be run on text alone .*visual_feats.*take an encoder of text"),
    ],
)
def test_what_is_no_encoder_of_text_is_refused(tmp_path: Path, architecture: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_for_training(save_pretrained(tmp_path, architecture), PROTOCOL, seed=1)


def test_a_saved_encoder_without_its_weights_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, "eurobert")
    state = load_file(folder / "model.safetensors")
    del state["qa_outputs.bias"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BundleError, match="does not hold the weights of the eurobert encoder"):
        load_for_inference(folder)


def test_only_the_encoder_of_t5_is_kept(tmp_path: Path) -> None:
    folder = saved(tmp_path, "t5")
    assert not [name for name in load_file(folder / "model.safetensors") if "decoder" in name]
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"] == ["SpanEncoder"]


@pytest.mark.parametrize("architecture", ["longformer", "led", "bart", "big_bird"])
def test_windows_may_be_as_long_as_the_position_table(tmp_path: Path, architecture: str) -> None:
    folder = save_pretrained(tmp_path, architecture)
    most = most_positions(folder)
    assert most == {"longformer": 94}.get(architecture, 96)
    model = load_for_training(folder, PROTOCOL, seed=1).eval()
    with torch.no_grad():
        start, _ = model(make_batch(make_windows([most, 9]), model.device))
    assert torch.isfinite(start).all()


def test_gradient_checkpoints_and_frozen_layers_work_behind_the_own_head(tmp_path: Path) -> None:
    folder = save_pretrained(tmp_path, "eurobert")
    protocol = TrainingProtocol(
        dropout=0.0, freeze_embeddings=True, frozen_layers=1, cache_frozen=True
    )
    model = load_for_training(folder, protocol, seed=1)
    assert model.frozen is not None
    checkpointing = TrainingProtocol(dropout=0.0, gradient_checkpointing=True)
    batch = make_batch(make_windows([9, 30]), model.device)
    losses = [
        training_loss(load_for_training(folder, each, seed=1), batch, Method())
        for each in (checkpointing, PROTOCOL)
    ]
    losses[0].backward()
    assert losses[0].item() == losses[1].item()


def test_the_protocol_s_dropout_reaches_rates_that_are_no_modules(tmp_path: Path) -> None:
    folder = save_pretrained(tmp_path, "bart")
    batch = make_batch(make_windows([9, 30]), torch.device("cpu"))
    model = load_for_training(folder, PROTOCOL, seed=1)
    losses = {training_loss(model, batch, Method()).item() for _ in range(3)}
    assert len(losses) == 1
