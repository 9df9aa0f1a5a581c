"""The contract of a pretrained model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from autoqa.api.downloads import Download
from autoqa.api.protocol import TrainingProtocol
from autoqa.api.version import API_VERSION

BackboneKind = Literal["span", "text"]
"""What a model gives of a window: logits of its tokens, or texts that it generates."""


@dataclass(frozen=True, kw_only=True)
class BackboneFacts:
    """What is known of a backbone on this machine before anything is loaded.

    Attributes:
        problems: Sentences that say why no run with it can begin, and the way out.
        notes: Sentences about what will be done with it that people may not expect.
        tokenizer: The ``tokenizer.json`` that it will have; ``None`` where it has to be made first.
        positions: Tokens of the longest window that it has positions for; ``None`` where these are
            relative, computed, or not known yet.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tokenizer: Path | None = None
    positions: int | None = None


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """A pretrained model that can be fine-tuned to answer questions about a context.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for ``autoqa plugins list``.
        options: Pydantic model that a study file's keys are bound against.
        protocol: Options to the published or measured way of fine-tuning it.
        prepare: (options, cache folder) to a folder in Hugging Face layout: ``config.json``,
            ``model.safetensors``, ``tokenizer.json``, ``tokenizer_config.json``. Called in a
            worker; what it makes goes below the cache folder, atomically, and is made once.
        missing: Options to a sentence that says what is not on this machine and how to get it,
            or ``None``; a :class:`Fetchable` where ``downloads`` get it. Must be quick and import
            nothing heavy.
        licence: Options to licence of the weights (SPDX identifier, or "unknown").
        facts: Options to what can be said before anything is loaded, for ``--dry-run``; asked only
            where nothing is missing. Must be quick and import nothing heavy.
        kind: ``"span"`` for an encoder whose tokens get start and end logits; ``"text"`` for a
            sequence-to-sequence model that generates answers, which are found again in the
            context. The latter votes, and never takes part in a mean of logits.
        downloads: Options to what can be fetched of it and is not here; asks the network for
            sizes only. For ``autoqa fetch``.
        citation: Options to what a paper should cite, or ``None``.
        languages: Options to the ISO codes of languages that it is said to know; empty where that
            is not known. Kits check that its tokenizer reads their letters.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    options: type[BaseModel]
    protocol: Callable[[Any], TrainingProtocol]
    prepare: Callable[[Any, Path], Path]
    missing: Callable[[Any], str | None]
    licence: Callable[[Any], str]
    facts: Callable[[Any], BackboneFacts] = lambda _: BackboneFacts()
    kind: BackboneKind = "span"
    downloads: Callable[[Any], Sequence[Download]] = lambda _: ()
    citation: Callable[[Any], str | None] = lambda _: None
    languages: Callable[[Any], Sequence[str]] = lambda _: ()
    api_version: int = API_VERSION
