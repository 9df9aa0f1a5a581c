"""The backbone ``mt5``: mT5, or another model of the T5 family, which generates answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from autoqa.api import (
    BackboneFacts,
    BackboneSpec,
    ConfigError,
    Download,
    Options,
    TrainingProtocol,
)
from autoqa_backbones import hub
from autoqa_backbones.architectures import GENERATING_KINDS
from autoqa_backbones.hub_layout import (
    Convert,
    HuggingFaceOptions,
    Licence,
    Revision,
    cached_folder,
    local_folder,
    read_config,
)
from autoqa_backbones.protocols import GENERATING, T5

_PUBLISHED = "google/mt5-"


class MT5Options(Options):
    """Options of ``type = "mt5"``."""

    size: Literal["small", "base", "large", "xl", "xxl"] = Field(
        default="small",
        description=(
            "Which of Google's models, where `model` names no other; their weights are always "
            "converted."
        ),
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        description="Model id or folder of a model of the T5 family (T5, mT5, umT5).",
    )
    revision: Revision = "main"
    licence: Licence = None
    convert: Convert = False


def _on_hub(options: MT5Options) -> HuggingFaceOptions:
    return HuggingFaceOptions(
        model=options.model or f"{_PUBLISHED}{options.size}",
        revision=options.revision,
        licence=options.licence,
        convert=options.convert or options.model is None,
    )


def _refusal(folder: Path) -> str | None:
    """Why the model in a folder cannot generate answers."""
    kind = read_config(folder).get("model_type")
    if kind in GENERATING_KINDS:
        return None
    return (
        f"the model in {folder} has model_type {kind!r}, but `mt5` takes the T5 family "
        f"({', '.join(GENERATING_KINDS)}), which generates answers; name such a model, or take "
        'type = "huggingface" for an encoder'
    )


def protocol(options: MT5Options) -> TrainingProtocol:
    """The protocol of small models, or that of larger ones."""
    small = options.size == "small" and options.model is None
    return GENERATING if small else T5


def missing(options: MT5Options) -> str | None:
    """A sentence if the folder, or the model's files in the Hugging Face cache, are not here."""
    return hub.missing(_on_hub(options))


def downloads(options: MT5Options) -> Sequence[Download]:
    """The files of a model id that are not here; asks the hub for their sizes.

    Raises:
        MissingAssetError: The hub has no such model, or cannot be reached, or must not be.
    """
    return hub.downloads(_on_hub(options))


def facts(options: MT5Options) -> BackboneFacts:
    """What the model's files say of it."""
    wanted = _on_hub(options)
    known = hub.facts(wanted)
    folder = local_folder(wanted) or cached_folder(wanted)
    if folder is None or known.problems or not (folder / "config.json").is_file():
        return known
    refused = _refusal(folder)
    return known if refused is None else replace(known, problems=(refused,))


def prepare(options: MT5Options, cache: Path) -> Path:
    """The model's folder, with a tokenizer that writes ``question: ... context: ...``.

    Raises:
        MissingAssetError: Files are not here and cannot be fetched, or are of the wrong kind.
        ConfigError: It is not of the T5 family, or its tokenizer ends no text.
    """
    from autoqa_backbones.hub_prepare import arranged

    folder = hub.fetched(_on_hub(options))
    refused = _refusal(folder)
    if refused is not None:
        raise ConfigError(refused)
    return arranged(folder, cache, bidirectional=False, named=True)


def licence(options: MT5Options) -> str:
    """SPDX identifier: the option, or that of Google's models, or ``"unknown"``."""
    published = (options.model or _PUBLISHED).lower().startswith(_PUBLISHED)
    return options.licence or ("Apache-2.0" if published else "unknown")


SPEC = BackboneSpec(
    name="mt5",
    summary="mT5 or another model of the T5 family, which generates answers and votes",
    options=MT5Options,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=licence,
    facts=facts,
    kind="text",
    downloads=downloads,
    citation=lambda _: (
        "Xue et al. 2021. mT5: A Massively Multilingual Pre-trained Text-to-Text Transformer. "
        "NAACL. arXiv:2010.11934"
    ),
)
