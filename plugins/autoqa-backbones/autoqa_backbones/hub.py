"""The backbone ``huggingface``: a model id of the Hugging Face hub, or a folder in its layout."""

import json
import os
import re
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from autoqa.api import BackboneSpec, ConfigError, MissingAssetError, Options, TrainingProtocol
from autoqa_backbones.folders import is_complete, weight_files
from autoqa_backbones.protocols import GENERIC, by_config, by_name

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

_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")

# Of the weights as their authors published them; says nothing about models derived from them.
_LICENCES = {
    "google/muril-base-cased": "Apache-2.0",
    "google/muril-large-cased": "Apache-2.0",
    "google/rembert": "Apache-2.0",
    "facebookai/xlm-roberta-base": "MIT",
    "facebookai/xlm-roberta-large": "MIT",
    "intfloat/multilingual-e5-small": "MIT",
}


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

    found = try_to_load_from_cache(options.model, "config.json", revision=options.revision)
    return Path(found).parent if isinstance(found, str) else None


def lacking(folder: Path) -> str | None:
    """What a folder lacks to be fine-tuned, as the end of a sentence; ``None`` if nothing."""
    if not (folder / "config.json").is_file():
        return "has no config.json"
    if not weight_files(folder):
        if any((folder / name).exists() for name in _PICKLED):
            return (
                "has its weights only as pytorch_model.bin, a pickle that can run any code when "
                "it is opened; autoqa reads model.safetensors only"
            )
        return "has no model.safetensors, or not all of its parts"
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        return "has no tokenizer (tokenizer.json, or vocab.txt, or a sentence-piece model)"
    return None


def missing(options: HuggingFaceOptions) -> str | None:
    """A sentence if the folder, or the model's files in the Hugging Face cache, are not here.

    Never asks the network: a model that :func:`prepare` could download counts as missing too.
    """
    folder = local_folder(options)
    if folder is not None:
        if not folder.is_dir():
            return f"the folder {folder} does not exist; correct `model` or put the model there"
        problem = lacking(folder)
        return None if problem is None else f"the folder {folder} {problem}; {_way_out(problem)}"
    snapshot = cached_folder(options)
    if snapshot is None:
        return (
            f"{_label(options)} is not in the local Hugging Face cache; fetch it with "
            f"`{download_command(options)}`{_offline_note()}"
        )
    problem = lacking(snapshot)
    if problem is None:
        return None
    return (
        f"{_label(options)} {problem} in the local Hugging Face cache; fetch the rest with "
        f"`{download_command(options)}`{_offline_note()}, or, if the hub has no more of it, "
        f"{_way_out(problem)}"
    )


def download_command(options: HuggingFaceOptions) -> str:
    """What a person types to have the files on this machine."""
    revision = "" if options.revision == "main" else f" --revision {options.revision}"
    kinds = ("*.safetensors*", "*.json", "*.txt", "*.model")
    return f"hf download {options.model}{revision} " + " ".join(f"--include '{k}'" for k in kinds)


def _label(options: HuggingFaceOptions) -> str:
    return f"the model {options.model} (revision {options.revision})"


def _offline_note() -> str:
    if not is_offline():
        return ""
    return " on a machine with a network, or with HF_HUB_OFFLINE unset"


def is_offline() -> bool:
    """Whether the environment forbids downloads, read as huggingface_hub reads it."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in {"1", "ON", "YES", "TRUE"}


def _way_out(problem: str) -> str:
    if "safetensors" in problem:
        return (
            "name a revision that has model.safetensors (the hub's converter offers one as "
            '`revision = "refs/pr/N"`), or convert the model once where you trust it: '
            "`AutoModel.from_pretrained(...).save_pretrained(folder)`"
        )
    return "name a complete model"


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


def protocol(options: HuggingFaceOptions) -> TrainingProtocol:
    """By the family that the name shows; else by the config, where that is on this machine."""
    folder = local_folder(options)
    named = by_name(folder.name if folder is not None else options.model)
    if named is not None:
        return named
    if folder is None:
        folder = cached_folder(options)
    if folder is None or not (folder / "config.json").is_file():
        return GENERIC
    config = read_config(folder)
    return by_config(config.get("model_type"), config.get("hidden_size"))


def licence(options: HuggingFaceOptions) -> str:
    """What the study file says, else what is known of a few much-used models."""
    return options.licence or _LICENCES.get(options.model.lower(), "unknown")


def prepare(options: HuggingFaceOptions, cache: Path) -> Path:
    """The model's folder; downloads it, and makes ``tokenizer.json``, where that has to be done.

    Raises:
        MissingAssetError: Files are not here and cannot be fetched, or are of the wrong kind.
        ConfigError: Its architecture cannot answer questions in transformers.
    """
    from autoqa_backbones.hub_prepare import check_architecture, download, with_tokenizer

    folder = local_folder(options)
    if folder is None:
        folder = cached_folder(options)
        if folder is None or lacking(folder) is not None:
            if is_offline():
                raise MissingAssetError(missing(options) or f"{_label(options)} is not here")
            folder = download(options)
    problem = lacking(folder) if folder.is_dir() else "does not exist"
    if problem is not None:
        raise MissingAssetError(f"the model folder {folder} {problem}; {_way_out(problem)}")
    check_architecture(folder)
    return folder if is_complete(folder) else with_tokenizer(folder, cache)


SPEC = BackboneSpec(
    name="huggingface",
    summary="any model id or folder that transformers can answer questions with; safetensors only",
    options=HuggingFaceOptions,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=licence,
)
