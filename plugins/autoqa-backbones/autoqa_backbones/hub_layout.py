"""How a study names a model of the Hugging Face hub, which files it has, and where they lie."""

import json
import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from autoqa.api import ConfigError, Options
from autoqa_backbones.architectures import both_sides

TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "tokenizer.model",
)
"""A folder has a tokenizer if it has one of these."""

PATTERNS = (
    "config.json",
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    *TOKENIZER_FILES,
)
"""What is downloaded: no pickled weights, no code, no other framework's copies."""

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


class HuggingFaceOptions(Options):
    """Options of ``type = "huggingface"``."""

    model: str = Field(
        min_length=1,
        description=(
            "Model id (`google/muril-large-cased`) or folder (`./my-model`, `/models/x`, `~/x`)."
        ),
    )
    revision: str = Field(
        default="main",
        min_length=1,
        description="Branch, tag, commit or `refs/pr/N` of a model id; no meaning for a folder.",
    )
    licence: str | None = Field(
        default=None,
        description="SPDX identifier of the weights' licence, for the exported model card.",
    )

    convert: bool = Field(
        default=False,
        description=(
            "Take weights that are there as `pytorch_model.bin` only: tensors, and nothing else, "
            "are read from it and written once as safetensors."
        ),
    )
    bidirectional: bool = Field(
        default=False,
        description=(
            "The weights were trained to attend to both sides, though config.json says nothing of "
            "it, as in IndicBERT v3 and LLM2Vec."
        ),
    )

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Options that came later count only where they are set: checkpoints are named by them."""
        values: dict[str, Any] = serialize(self)
        for key in ("convert", "bidirectional"):
            if not values.get(key):
                values.pop(key, None)
        return values

    @field_validator("model")
    @classmethod
    def _id_or_folder(cls, model: str) -> str:
        if not _is_path(model) and not _HUB_ID.fullmatch(model):
            raise ValueError(
                f"{model!r} is neither a model id (`owner/name`) nor a folder that exists; "
                "start a folder's path with `./`, `/` or `~/`"
            )
        return model


def local_folder(options: HuggingFaceOptions) -> Path | None:
    """The folder that the option ``model`` names, existing or not; ``None`` for a model id."""
    return Path(options.model).expanduser() if _is_path(options.model) else None


def _is_path(model: str) -> bool:
    return model.startswith(("./", "../", "~", os.sep)) or Path(model).is_dir()


def cached_folder(options: HuggingFaceOptions) -> Path | None:
    """The snapshot of a model id in the local Hugging Face cache, complete or not."""
    from huggingface_hub import try_to_load_from_cache

    config_path = try_to_load_from_cache(options.model, "config.json", revision=options.revision)
    return Path(config_path).parent if isinstance(config_path, str) else None


def download_command(options: HuggingFaceOptions) -> str:
    """The shell command that fetches the files of a model id into the Hugging Face cache."""
    revision = "" if options.revision == "main" else f" --revision {options.revision}"
    patterns = ("*.safetensors*", "*.json", "*.txt", "*.model")
    return f"hf download {options.model}{revision} " + " ".join(
        f"--include '{pattern}'" for pattern in patterns
    )


def read_config(folder: Path) -> dict[str, Any]:
    """A folder's ``config.json``.

    Raises:
        ConfigError: It is no JSON object.
    """
    path = folder / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} holds a {type(content).__name__}, expected a JSON object")
    return content


def claimed(options: HuggingFaceOptions, folder: Path) -> dict[str, Any]:
    """A folder's ``config.json`` as the study has it: see the option ``bidirectional``.

    Raises:
        ConfigError: It is no JSON object.
    """
    config = read_config(folder)
    return both_sides(config) if options.bidirectional else config
