"""From a folder in Hugging Face layout to a model, and back."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForQuestionAnswering

from autoqa.api import Precision
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.modeling.adapters import switched_off
from autoqa.modeling.attention import ATTENTION
from autoqa.modeling.heads.registry import HEAD_KEY, head_name, stored_head
from autoqa.modeling.model import SpanModel
from autoqa.modeling.seq2seq import generates, load_text_model, quieten_transformers
from autoqa.modeling.span_encoder import has_own_head, load_span_encoder

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def pick_device(device: str = "auto") -> torch.device:
    """``auto`` takes the first CUDA device, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def resolve_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """The type that matrix products are computed in.

    ``auto`` takes bfloat16 where the device has instructions for it: CUDA from compute capability
    8.0, CPUs with AMX or AVX-512 BF16.
    """
    if precision == "auto":
        if device.type == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        precision = "bf16" if fast else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def load_for_inference(folder: Path, device: str = "auto") -> SpanModel:
    """A fine-tuned model in evaluation mode.

    Raises:
        MissingAssetError: The folder holds no model.
        BundleError: The model's answer head is unknown or incomplete.
    """
    config = read_configuration(folder)
    if generates(config.architectures):
        return load_text_model(folder, config, pick_device(device)).eval()
    inner = load_inner(folder, config, pick_device(device))
    model = SpanModel(inner, stored_head(folder, inner))
    model.eval()
    return model


def read_configuration(folder: Path) -> Any:
    """The transformers configuration of a model folder.

    Raises:
        MissingAssetError: The folder holds no model.
    """
    if not (folder / "config.json").is_file():
        raise MissingAssetError(f"{folder} is no model folder: config.json is missing.")
    return AutoConfig.from_pretrained(folder)


def load_inner(folder: Path, config: Any, device: torch.device) -> Any:
    """The transformers model in a folder, in single precision; packed where it takes that.

    Args:
        folder: Weights in Hugging Face layout.
        config: What :func:`read_configuration` gives for it.
        device: Where the weights go.
    """
    quieten_transformers()
    load = AutoModelForQuestionAnswering.from_pretrained
    if has_own_head(config):
        load = load_span_encoder
    if getattr(config, "attention_type", None) == "block_sparse":
        # BigBird's sparse attention turns itself off for good at the first short window, so that
        # what a window gives would depend on those before it.
        config.attention_type = "original_full"
    arguments: dict[str, Any] = {"config": config, "dtype": torch.float32}
    try:
        inner = load(folder, attn_implementation=ATTENTION, **arguments)
    except (KeyError, ValueError):  # the architecture has its own attention only
        inner = load(folder, **arguments)
    return inner.to(device)


def most_positions(folder: Path) -> int | None:
    """Tokens of the longest window that the model in a folder has positions for.

    Args:
        folder: A model in Hugging Face layout; its weights are not read.

    Returns:
        Rows of the table of position embeddings, less those that RoBERTa-like models never use;
        ``None`` where positions are relative or computed.

    Raises:
        MissingAssetError: The folder holds no model.
    """
    config = read_configuration(folder)
    kind = AutoModel if has_own_head(config) else AutoModelForQuestionAnswering
    with torch.device("meta"):
        model = kind.from_config(config)
    tables = [
        module.num_embeddings - _unused_positions(module)
        for name, module in model.base_model.named_modules()
        if name.rpartition(".")[2] in _POSITIONS and isinstance(module, nn.Embedding)
    ]
    return min(tables, default=None)


_POSITIONS = ("position_embeddings", "embed_positions", "wpe")
"""Names of tables of position embeddings."""


def _unused_positions(table: nn.Embedding) -> int:
    """Rows before the one of a window's first token."""
    if table.padding_idx is not None:
        return table.padding_idx + 1
    return int(getattr(table, "offset", 0))


def check_length(folder: Path, length: int, where: str) -> None:
    """Refuses windows that are longer than a model's positions.

    Args:
        folder: A model in Hugging Face layout.
        length: Tokens in a window.
        where: What the error message says about the place where the length was set.

    Raises:
        ConfigError: The model has fewer positions.
        MissingAssetError: The folder holds no model.
    """
    most = most_positions(folder)
    if most is not None and length > most:
        raise ConfigError(
            f"{where}: length {length} is beyond the {most} positions of the model in {folder}; "
            f"set it to {most} or less, or take another backbone."
        )


_STACKS = ("layers", "block")
"""Names of the lists of layers in encoders and decoders; T5's is the second."""


def encoder_layers(model: SpanModel) -> list[nn.Module]:
    """The encoder's layers from the lowest up: its longest list of modules.

    Where a decoder is trained, too, its layers follow.
    """
    inner = model.inner
    found = [m for m in inner.base_model.modules() if isinstance(m, nn.ModuleList)]
    both = model.generates or not has_own_head(inner.config)
    if inner.config.is_encoder_decoder and both:
        stacks = [inner.base_model.get_encoder(), inner.base_model.get_decoder()]
        found = [
            part for stack in stacks for name, part in stack.named_children() if name in _STACKS
        ]
        return [layer for layers in found for layer in layers]
    return list(max(found, key=len, default=()))


def embedding_modules(model: SpanModel) -> list[nn.Module]:
    """What turns tokens into the lowest layer's input, as far as it is trained."""
    base = model.inner.base_model
    if isinstance(getattr(base, "embeddings", None), nn.Module):
        return [base.embeddings]
    tables: list[nn.Module] = [each for each in base.children() if isinstance(each, nn.Embedding)]
    return tables or [model.inner.get_input_embeddings()]


def rounded_state(model: SpanModel) -> dict[str, torch.Tensor]:
    """The weights as they are stored: half precision, on the CPU."""
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in model.state().items()
    }


@contextmanager
def holding(model: SpanModel, state: dict[str, torch.Tensor]) -> Iterator[None]:
    """A model in training holds other weights inside, and its own again afterwards.

    Args:
        model: Its adapters, if it has some, are switched off inside.
        state: Named as :meth:`autoqa.modeling.model.SpanModel.state` names them.
    """
    own = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    with switched_off(model.inner):
        model.load_state(state)
        model.eval()
        try:
            yield
        finally:
            model.load_state_dict(own)
            model.train()


def save_model(
    model: SpanModel, state: dict[str, torch.Tensor], tokenizer_folder: Path, folder: Path
) -> None:
    """Writes weights, configuration and tokenizer files; the folder is made."""
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = getattr(model.inner, "whole_config", model.inner.config).to_diff_dict()
    config["architectures"] = [type(model.inner).__name__]
    config.pop(HEAD_KEY, None)
    if model.head is not None:
        config[HEAD_KEY] = head_name(model.head)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).is_file():
            shutil.copyfile(tokenizer_folder / name, folder / name)
