"""Backbones with a published model's name: a plugin for each of :data:`MODELS`.

All that is done with a model is what ``type = "huggingface"`` does.
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
)
from autoqa_backbones import hub
from autoqa_backbones.hub_layout import HuggingFaceOptions, read_config
from autoqa_backbones.known_model import KnownModel
from autoqa_backbones.known_models import MODELS


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


def named(name: str, known: KnownModel) -> BackboneSpec:
    """The plugin of a published model.

    Args:
        name: How study files name it.
        known: What is known of it.
    """
    backbone = _Named(known)
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
        languages=lambda _: known.languages,
    )


@dataclass(frozen=True, slots=True)
class _Named:
    known: KnownModel

    def _wanted(self, chosen: NamedOptions) -> HuggingFaceOptions:
        """The same for ``type = "huggingface"``.

        Weights that the hub has as ``pytorch_model.bin`` only are converted without being asked
        for: whoever names one of these models wants it, and only tensors are read.
        """
        folder = None if chosen.folder is None else Path(chosen.folder).expanduser().absolute()
        return HuggingFaceOptions(
            model=self.known.model if folder is None else str(folder),
            revision=chosen.revision or self.known.revision,
            convert=True,
            bidirectional=self.known.bidirectional,
        )

    def missing(self, options: NamedOptions) -> str | None:
        """As that of ``huggingface``; a package that the tokenizer needs is missed first."""
        wanted = self._wanted(options)
        if options.folder is not None and not Path(wanted.model).is_dir():
            return (
                f"the folder {wanted.model} does not exist; correct `folder`, put "
                f"{self.known.model} there, or leave `folder` out to take the hub's"
            )
        if self.known.pieces and not find_spec("sentencepiece") and self._has_pieces_only(options):
            return (
                f"the tokenizer of {self.known.model} is a sentence-piece model, which the package "
                "sentencepiece has to read once: pip install 'autoqa[sentencepiece]'"
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
        wanted = self._wanted(options)
        absent = None if options.folder is None else self.missing(options)
        if absent is not None:
            raise MissingAssetError(absent)
        other = None if options.folder is None else self._another_kind(wanted)
        if other is not None:
            raise ConfigError(other)
        return hub.prepare(wanted, cache)

    def facts(self, options: NamedOptions) -> BackboneFacts:
        """As those of ``huggingface``, with the positions that are known without the weights."""
        wanted = self._wanted(options)
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
        return hub.downloads(self._wanted(options))


SPECS = {name: named(name, known) for name, known in MODELS.items()}
"""The plugins; each is an attribute of this module for its entry point, see :func:`__getattr__`."""


def __getattr__(name: str) -> BackboneSpec:
    """A plugin by its name with underscores."""
    for each, spec in SPECS.items():
        if each.replace("-", "_").replace(".", "_") == name:
            return spec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
