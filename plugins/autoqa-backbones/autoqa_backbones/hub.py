"""The backbone ``huggingface``: a model id of the Hugging Face hub, or a folder in its layout."""

from collections.abc import Sequence
from pathlib import Path

from autoqa.api import (
    BackboneFacts,
    BackboneSpec,
    ConfigError,
    Download,
    Fetchable,
    MissingAssetError,
    TrainingProtocol,
    hub_downloads,
)
from autoqa_backbones.architectures import refusal
from autoqa_backbones.folders import weight_files
from autoqa_backbones.hub_convert import PICKLED, PICKLED_INDEX, pickled_files
from autoqa_backbones.hub_layout import (
    TOKENIZER_FILES,
    HuggingFaceOptions,
    cached_folder,
    claimed,
    local_folder,
    on_the_hub,
    read_config,
    repository,
)
from autoqa_backbones.known_models import LICENCES
from autoqa_backbones.protocols import GENERIC, by_config, by_name


def lacking(folder: Path, *, convert: bool = False) -> str | None:
    """What a folder lacks to be fine-tuned, as the end of a sentence; ``None`` if nothing.

    Args:
        folder: Where the model is.
        convert: Whether pickled weights will do.
    """
    if not (folder / "config.json").is_file():
        return "has no config.json"
    if not weight_files(folder):
        if any((folder / name).exists() for name in (PICKLED, PICKLED_INDEX)):
            if not convert:
                return (
                    "has its weights only as pytorch_model.bin, a pickle that can run any code "
                    "when it is opened; autoqa reads model.safetensors"
                )
            if not pickled_files(folder):
                return f"has not all parts that its {PICKLED_INDEX} lists"
        else:
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
            state = "is a file, and no folder" if folder.exists() else "does not exist"
            return f"the folder {folder} {state}; correct `model` or put the model there"
        problem = lacking(folder, convert=options.convert)
        return None if problem is None else f"the folder {folder} {problem}; {_remedy(problem)}"
    model = repository(options, pickled=options.convert)
    snapshot = cached_folder(options)
    if snapshot is None:
        return Fetchable(
            f"{model.label} is not in the local Hugging Face cache; fetch it with "
            f"`{model.command}`{model.offline_note()}"
        )
    problem = lacking(snapshot, convert=options.convert)
    if problem is None:
        return None
    return Fetchable(
        f"{model.label} {problem} in the local Hugging Face cache; fetch the rest with "
        f"`{model.command}`{model.offline_note()}, or, if the hub has no more of it, "
        f"{_remedy(problem)}"
    )


def downloads(options: HuggingFaceOptions) -> Sequence[Download]:
    """The files of a model id that are not here; asks the hub for their sizes.

    Raises:
        MissingAssetError: The hub has no such model, or cannot be reached, or must not be.
    """
    if local_folder(options) is not None or missing(options) is None:
        return ()
    return hub_downloads(on_the_hub(options))


def _remedy(problem: str) -> str:
    if "pytorch_model.bin," in problem:
        return (
            "set `convert = true` to have its tensors, and nothing else of it, written as "
            "safetensors once, or name a revision that has model.safetensors (the hub's converter "
            'offers one as `revision = "refs/pr/N"`)'
        )
    return "name a complete model"


def protocol(options: HuggingFaceOptions) -> TrainingProtocol:
    """The protocol that fits the model.

    It is chosen by what the model's config says, where that is on this machine, and by the family
    that the model's name shows; without either it is the generic protocol.
    """
    folder = local_folder(options)
    name = folder.name if folder is not None else options.model
    if folder is None:
        folder = cached_folder(options)
    if folder is None or not (folder / "config.json").is_file():
        return by_name(name) or GENERIC
    return by_config(read_config(folder), name)


def facts(options: HuggingFaceOptions) -> BackboneFacts:
    """What ``config.json``, ``tokenizer.json`` and the head of the weights say of the model."""
    from autoqa_backbones.hub_facts import looked_at

    folder = local_folder(options) or cached_folder(options)
    if folder is None or lacking(folder, convert=options.convert) is not None:
        return BackboneFacts()
    return looked_at(folder, options)


def licence(options: HuggingFaceOptions) -> str:
    """SPDX identifier: the option, or else that of well-known models, or ``"unknown"``."""
    return options.licence or LICENCES.get(options.model.lower(), "unknown")


def fetched(options: HuggingFaceOptions) -> Path:
    """The model's folder as it was published; downloads it where that is needed.

    Raises:
        MissingAssetError: Files are not here and cannot be fetched, or are of the wrong kind.
    """
    folder = local_folder(options)
    if folder is None:
        folder = cached_folder(options)
        if folder is None or lacking(folder, convert=options.convert) is not None:
            folder = on_the_hub(options).fetch()
    problem = lacking(folder, convert=options.convert) if folder.is_dir() else "does not exist"
    if problem is not None:
        raise MissingAssetError(f"the model folder {folder} {problem}; {_remedy(problem)}")
    return folder


def prepare(options: HuggingFaceOptions, cache: Path) -> Path:
    """The model's folder; downloads it, and arranges what has to be, where that is needed.

    Raises:
        MissingAssetError: Files are not here and cannot be fetched, or are of the wrong kind.
        ConfigError: It is no encoder of text, see :func:`autoqa_backbones.architectures.refusal`.
    """
    from autoqa_backbones.hub_prepare import arranged

    folder = fetched(options)
    refused = refusal(claimed(options, folder))
    if refused is not None:
        raise ConfigError(f"the model in {folder} {refused}")
    return arranged(folder, cache, bidirectional=options.bidirectional)


SPEC = BackboneSpec(
    name="huggingface",
    summary="any model id or folder with an encoder of text that transformers knows",
    options=HuggingFaceOptions,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=licence,
    facts=facts,
    downloads=downloads,
)
