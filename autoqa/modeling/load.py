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

from autoqa.api import Precision, TrainingProtocol
from autoqa.errors import MissingAssetError
from autoqa.modeling.packing import ATTENTION, SpanModel

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


def _load(folder: Path, device: torch.device) -> SpanModel:
    if not (folder / "config.json").is_file():
        raise MissingAssetError(f"{folder} is no model folder: config.json is missing.")
    # "newly initialized" warnings are the point of fine-tuning, and noise at inference.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(folder)
    arguments: dict[str, Any] = {"config": config, "dtype": torch.float32}
    try:
        inner = AutoModelForQuestionAnswering.from_pretrained(
            folder, attn_implementation=ATTENTION, **arguments
        )
    except ValueError:  # the architecture has its own attention only
        inner = AutoModelForQuestionAnswering.from_pretrained(folder, **arguments)
    return SpanModel(inner.to(device))


def load_for_inference(folder: Path, device: str = "auto") -> SpanModel:
    """A fine-tuned model in evaluation mode.

    Raises:
        MissingAssetError: The folder holds no model.
    """
    model = _load(folder, pick_device(device))
    model.eval()
    return model


def load_for_training(
    folder: Path, protocol: TrainingProtocol, seed: int, device: str = "auto"
) -> SpanModel:
    """A pretrained model with a fresh answer head, dropout and freezing as the protocol says.

    Raises:
        MissingAssetError: The folder holds no model.
    """
    torch.manual_seed(seed)
    model = _load(folder, pick_device(device))
    if protocol.dropout is not None:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = protocol.dropout
    encoder = model.inner.base_model
    frozen: list[nn.Module] = []
    if protocol.freeze_embeddings:
        frozen.append(encoder.embeddings)
    frozen.extend(encoder_layers(model)[: protocol.frozen_layers])
    for module in frozen:
        module.requires_grad_(False)
    model.train()
    return model


def encoder_layers(model: SpanModel) -> list[nn.Module]:
    """The encoder's layers from the lowest up: its longest list of modules."""
    lists = [list(m) for m in model.inner.base_model.modules() if isinstance(m, nn.ModuleList)]
    return max(lists, key=len, default=[])


def rounded_state(model: SpanModel) -> dict[str, torch.Tensor]:
    """The weights as they are stored: half precision, on the CPU."""
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in model.inner.state_dict().items()
    }


def save_model(
    model: SpanModel, state: dict[str, torch.Tensor], tokenizer_folder: Path, folder: Path
) -> None:
    """Writes weights, configuration and tokenizer files; the folder is made."""
    folder.mkdir(parents=True)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.inner.config.to_diff_dict()
    config["architectures"] = [type(model.inner).__name__]
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).is_file():
            shutil.copyfile(tokenizer_folder / name, folder / name)
