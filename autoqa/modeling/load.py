"""From a folder in Hugging Face layout to a model, and back."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModelForQuestionAnswering
from transformers.utils import logging as transformers_logging

from autoqa.api import Precision
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.modeling.heads.registry import HEAD_KEY, head_name, stored_head
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import ATTENTION

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
    # "newly initialized" warnings are the point of fine-tuning, and noise at inference.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    arguments: dict[str, Any] = {"config": config, "dtype": torch.float32}
    try:
        inner = AutoModelForQuestionAnswering.from_pretrained(
            folder, attn_implementation=ATTENTION, **arguments
        )
    except ValueError:  # the architecture has its own attention only
        inner = AutoModelForQuestionAnswering.from_pretrained(folder, **arguments)
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
    with torch.device("meta"):
        model = AutoModelForQuestionAnswering.from_config(read_configuration(folder))
    for name, module in model.base_model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - unused
    return None


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


def encoder_layers(model: SpanModel) -> list[nn.Module]:
    """The encoder's layers from the lowest up: its longest list of modules."""
    lists = [list(m) for m in model.inner.base_model.modules() if isinstance(m, nn.ModuleList)]
    return max(lists, key=len, default=[])


def rounded_state(model: SpanModel) -> dict[str, torch.Tensor]:
    """The weights as they are stored: half precision, on the CPU."""
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in model.state().items()
    }


def save_model(
    model: SpanModel, state: dict[str, torch.Tensor], tokenizer_folder: Path, folder: Path
) -> None:
    """Writes weights, configuration and tokenizer files; the folder is made."""
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.inner.config.to_diff_dict()
    config["architectures"] = [type(model.inner).__name__]
    config.pop(HEAD_KEY, None)
    if model.head is not None:
        config[HEAD_KEY] = head_name(model.head)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).is_file():
            shutil.copyfile(tokenizer_folder / name, folder / name)
