"""How a study names a model of the Hugging Face hub, which files it has, and where they lie."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from autoqa.api import ConfigError, HubRepository, Options
from autoqa_backbones.architectures import both_sides
from autoqa_backbones.hub_convert import PICKLED_PATTERNS

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
    "model.safetensors*",
    "model-*.safetensors",
    "*token*.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)
"""What is downloaded: no pickled weights, no code, no other framework's copies."""

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


Revision = Annotated[
    str,
    Field(
        min_length=1,
        description="Branch, tag, commit or `refs/pr/N` of a model id; no meaning for a folder.",
    ),
]
Licence = Annotated[
    str | None,
    Field(description="SPDX identifier of the weights' licence, for the exported model card."),
]
Convert = Annotated[
    bool,
    Field(
        description=(
            "Take weights that are there as `pytorch_model.bin` only: tensors, and nothing else, "
            "are read from it and written once as safetensors."
        ),
    ),
]


class HuggingFaceOptions(Options):
    """Options of ``type = "huggingface"``."""

    model: str = Field(
        min_length=1,
        description=(
            "Model id (`google/muril-large-cased`) or folder (`./my-model`, `/models/x`, `~/x`)."
        ),
    )
    revision: Revision = "main"
    licence: Licence = None
    convert: Convert = False
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


def repository(options: HuggingFaceOptions, *, pickled: bool = False) -> HubRepository:
    """The files of a model id that are read.

    Args:
        options: They name a model id.
        pickled: Whether weights that are no safetensors are among them.
    """
    patterns = (*PATTERNS, *PICKLED_PATTERNS) if pickled else PATTERNS
    return HubRepository(options.model, revision=options.revision, patterns=patterns)


def on_the_hub(options: HuggingFaceOptions) -> HubRepository:
    """As :func:`repository`; asks the hub for pickles only where a study takes them.

    Raises:
        MissingAssetError: The hub has no such model, or cannot be reached, or must not be.
    """
    safe = repository(options)
    if not options.convert:
        return safe
    _, files = safe.listing()
    pickled = not any(file.name.endswith(".safetensors") for file in files)
    return repository(options, pickled=pickled)


def cached_folder(options: HuggingFaceOptions) -> Path | None:
    """The snapshot of a model id in the local Hugging Face cache, complete or not."""
    folder = repository(options).folder()
    return folder if folder is not None and (folder / "config.json").is_file() else None


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
