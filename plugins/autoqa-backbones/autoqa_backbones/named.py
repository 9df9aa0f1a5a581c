"""Backbones with a name of their own: what is known of a published model, and the plugin it makes.

The table is :mod:`autoqa_backbones.known_models`; all that is done with a model is what
``type = "huggingface"`` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import Field

from autoqa.api import (
    BackboneFacts,
    BackboneSpec,
    ConfigError,
    Download,
    MissingAssetError,
    Options,
    TrainingProtocol,
)
from autoqa_backbones import hub
from autoqa_backbones.hub_layout import HuggingFaceOptions, read_config


class NamedOptions(Options):
    """Options of a backbone that has a published model's name."""

    revision: str | None = Field(
        default=None,
        min_length=1,
        description="Branch, tag or commit in place of the one that the plugin names.",
    )
    folder: str | None = Field(
        default=None,
        min_length=1,
        description="A copy of the model on this machine, in place of the hub's.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A published model.

    Attributes:
        model: Id on the Hugging Face hub.
        kind: ``model_type`` in its ``config.json``.
        about: Size, languages, tokenizer and what else is particular, for one line.
        licence: SPDX identifier by the model's card; ``"unknown"`` where that names none.
        protocol: How it is fine-tuned.
        citation: Its publication.
        revision: A commit, or the branch where none is known.
        positions: Tokens of the longest window; ``None`` where positions are relative or computed.
        pieces: Whether its tokenizer is a sentence-piece model only, which the package
            sentencepiece has to read once.
        bidirectional: Whether its weights attend to both sides without its configuration saying so.
    """

    model: str
    kind: str
    about: str
    licence: str
    protocol: TrainingProtocol
    citation: str
    revision: str = "main"
    positions: int | None = None
    pieces: bool = False
    bidirectional: bool = False

    def options(self, chosen: NamedOptions) -> HuggingFaceOptions:
        """The same for ``type = "huggingface"``.

        Weights that the hub has as ``pytorch_model.bin`` only are converted without being asked
        for: whoever names one of these models wants it, and only tensors are read.
        """
        folder = None if chosen.folder is None else Path(chosen.folder).expanduser().absolute()
        return HuggingFaceOptions(
            model=self.model if folder is None else str(folder),
            revision=chosen.revision or self.revision,
            convert=True,
            bidirectional=self.bidirectional,
        )


def named(name: str, known: KnownModel) -> BackboneSpec:
    """The plugin of a published model.

    Args:
        name: How study files name it.
        known: What is known of it.
    """
    backbone = _Named(name, known)
    return BackboneSpec(
        name=name,
        summary=f"{known.model}: {known.about}",
        options=NamedOptions,
        protocol=lambda _: known.protocol,
        prepare=backbone.prepare,
        missing=backbone.missing,
        licence=lambda _: known.licence,
        facts=backbone.facts,
        downloads=backbone.downloads,
        citation=lambda _: known.citation,
    )


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    known: KnownModel

    def missing(self, options: NamedOptions) -> str | None:
        """As that of ``huggingface``; a package that the tokenizer needs is missed first."""
        wanted = self.known.options(options)
        if options.folder is not None and not Path(wanted.model).is_dir():
            return (
                f"the folder {wanted.model} does not exist; correct `folder`, put "
                f"{self.known.model} there, or leave `folder` out to fetch it"
            )
        if self.known.pieces and not find_spec("sentencepiece") and self._has_pieces_only(options):
            return (
                f"the tokenizer of {self.known.model} is a sentence-piece model, which the package "
                "sentencepiece has to read once: pip install 'autoqa-backbones[sentencepiece]'"
            )
        return hub.missing(wanted)

    def _has_pieces_only(self, options: NamedOptions) -> bool:
        return (
            options.folder is None
            or not (Path(options.folder).expanduser() / "tokenizer.json").is_file()
        )

    def prepare(self, options: NamedOptions, cache: Path) -> Path:
        """As that of ``huggingface``.

        Raises:
            MissingAssetError: Files or a package are not here and cannot be fetched.
            ConfigError: The folder holds another kind of model.
        """
        wanted = self.known.options(options)
        absent = None if options.folder is None else self.missing(options)
        if absent is not None:
            raise MissingAssetError(absent)
        other = None if options.folder is None else self._another_kind(wanted)
        if other is not None:
            raise ConfigError(other)
        return hub.prepare(wanted, cache)

    def facts(self, options: NamedOptions) -> BackboneFacts:
        """As those of ``huggingface``, with the positions that are known without the weights."""
        wanted = self.known.options(options)
        facts = hub.facts(wanted)
        if options.folder is None:
            return replace(facts, positions=facts.positions or self.known.positions)
        other = self._another_kind(wanted)
        return facts if other is None else replace(facts, problems=(other,))

    def _another_kind(self, wanted: HuggingFaceOptions) -> str | None:
        try:
            kind: Any = read_config(Path(wanted.model)).get("model_type")
        except (OSError, ConfigError):
            return None  # others say so
        if kind == self.known.kind:
            return None
        return (
            f"the folder {wanted.model} holds a model of model_type {kind!r}, and "
            f"{self.known.model} is of {self.known.kind!r}; correct `folder`, or set "
            '`type = "huggingface"` and `model` to the folder'
        )

    def downloads(self, options: NamedOptions) -> Sequence[Download]:
        """As those of ``huggingface``."""
        return hub.downloads(self.known.options(options))
