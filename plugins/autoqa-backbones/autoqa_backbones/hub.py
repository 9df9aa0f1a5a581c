"""The backbone ``huggingface``: a model id of the Hugging Face hub, or a folder in its layout."""

import os
from pathlib import Path

from autoqa.api import BackboneSpec, MissingAssetError, TrainingProtocol
from autoqa_backbones.folders import is_complete, weight_files
from autoqa_backbones.hub_layout import (
    TOKENIZER_FILES,
    HuggingFaceOptions,
    cached_folder,
    download_command,
    local_folder,
    read_config,
)
from autoqa_backbones.protocols import GENERIC, by_config, by_name

_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")

# Of the weights as their authors published them; says nothing about models derived from them.
_LICENCES = {
    "google/muril-base-cased": "Apache-2.0",
    "google/muril-large-cased": "Apache-2.0",
    "google/rembert": "Apache-2.0",
    "facebookai/xlm-roberta-base": "MIT",
    "facebookai/xlm-roberta-large": "MIT",
    "intfloat/multilingual-e5-small": "MIT",
}


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
        return None if problem is None else f"the folder {folder} {problem}; {_remedy(problem)}"
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
        f"{_remedy(problem)}"
    )


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


def _remedy(problem: str) -> str:
    if "safetensors" in problem:
        return (
            "name a revision that has model.safetensors (the hub's converter offers one as "
            '`revision = "refs/pr/N"`), or convert the model once where you trust it: '
            "`AutoModel.from_pretrained(...).save_pretrained(folder)`"
        )
    return "name a complete model"


def protocol(options: HuggingFaceOptions) -> TrainingProtocol:
    """The protocol of the model's family.

    The family is taken from the model's name, or else from its config where that is on this
    machine; without either it is the generic protocol.
    """
    folder = local_folder(options)
    family_protocol = by_name(folder.name if folder is not None else options.model)
    if family_protocol is not None:
        return family_protocol
    if folder is None:
        folder = cached_folder(options)
    if folder is None or not (folder / "config.json").is_file():
        return GENERIC
    config = read_config(folder)
    return by_config(config.get("model_type"), config.get("hidden_size"))


def licence(options: HuggingFaceOptions) -> str:
    """SPDX identifier: the option, or else that of a few well-known models, or ``"unknown"``."""
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
        raise MissingAssetError(f"the model folder {folder} {problem}; {_remedy(problem)}")
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
