"""What a model's files say without any of its weights being read."""

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autoqa.api import BackboneFacts, ConfigError
from autoqa_backbones.architectures import refusal
from autoqa_backbones.folders import weight_files
from autoqa_backbones.hub_layout import TOKENIZER_FILES, HuggingFaceOptions, claimed
from autoqa_backbones.hub_tokenizer import begins_with_text

_HEAD_BYTES = struct.Struct("<Q")
_LONGEST_HEAD = 100_000_000
"""Bytes; safetensors itself reads no longer ones."""

_TABLES = (["position_embeddings"], ["embed_positions"], ["wpe"])
"""Last part but one of a tensor's name."""

_AFTER_PADDING = frozenset(
    (
        *("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm", "xmod"),
        *("data2vec-text", "longformer", "mpnet", "luke", "ibert", "lilt", "markuplm", "esm"),
    )
)
"""Kinds whose windows begin behind the position of the padding token."""

_AFTER_TWO = frozenset(("bart", "mbart", "mvp", "plbart", "nystromformer", "yoso", "mra"))


def looked_at(folder: Path, options: HuggingFaceOptions) -> BackboneFacts:
    """The facts of a folder that lacks nothing.

    Args:
        folder: In Hugging Face layout.
        options: As the study has them.
    """
    try:
        config = claimed(options, folder)
    except ConfigError as error:
        return BackboneFacts(problems=(str(error),))
    problems, notes = [], []
    refused = refusal(config)
    if refused is not None:
        problems.append(f"the model in {folder} {refused}")
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        problems += _no_fast_tokenizer(folder, config)
    try:
        shapes = _shapes(folder)
    except (OSError, ValueError, struct.error) as error:
        problems.append(f"the weights in {folder} cannot be read ({error}); fetch them again")
        shapes = {}
    if not weight_files(folder):
        notes.append("pytorch_model.bin is written as safetensors once, its tensors only")
    return BackboneFacts(
        problems=tuple(problems),
        notes=tuple(notes),
        tokenizer=tokenizer if tokenizer.is_file() and not begins_with_text(folder) else None,
        positions=_positions(config, shapes),
    )


def _no_fast_tokenizer(folder: Path, config: dict[str, Any]) -> list[str]:
    """What keeps a fast tokenizer from being made of the files that are there."""
    if config.get("model_type") in ("canine", "byt5", "perceiver"):
        return [
            f"the model in {folder} has model_type {config['model_type']!r}, whose tokenizer has "
            "no fast form (tokenizer.json), which autoqa needs for the places of tokens in the "
            "text; take another model"
        ]
    pieces = [name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if all(name.endswith(".model") for name in pieces) and not find_spec("sentencepiece"):
        return [
            f"no tokenizer.json can be made of {', '.join(pieces)} in {folder} without the package "
            "sentencepiece; pip install sentencepiece, or put a tokenizer.json there"
        ]
    return []


def _shapes(folder: Path) -> dict[str, list[int]]:
    """Name and shape of every tensor, by the heads of the safetensors files.

    Raises:
        ValueError: A file is no safetensors file.
    """
    shapes: dict[str, list[int]] = {}
    for name in weight_files(folder):
        if not name.endswith(".safetensors"):
            continue
        with (folder / name).open("rb") as file:
            (size,) = _HEAD_BYTES.unpack(file.read(_HEAD_BYTES.size))
            if size > _LONGEST_HEAD:
                raise ValueError(f"{name} is no safetensors file")
            head = json.loads(file.read(size))
        for tensor, entry in head.items():
            if tensor != "__metadata__":
                shapes[tensor] = list(entry["shape"])
    return shapes


def _positions(config: dict[str, Any], shapes: dict[str, list[int]]) -> int | None:
    kind, pad_id = config.get("model_type"), config.get("pad_token_id")
    unused = 0
    if config.get("position_biased_input") is False:  # DeBERTa: positions are relative only
        return None
    if kind in _AFTER_PADDING:
        unused = 1 + (pad_id if isinstance(pad_id, int) else 1)
    elif kind in _AFTER_TWO:
        unused = 2
    tables = [shape[0] for name, shape in shapes.items() if name.split(".")[-2:-1] in _TABLES]
    return min(tables) - unused if tables else None
