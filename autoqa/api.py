"""All that a plugin imports.

A plugin is a light *spec* object behind an entry point of one of three groups:

* ``autoqa.backbones``: :class:`BackboneSpec`
* ``autoqa.sources``: :class:`SourceSpec`
* ``autoqa.augmentations``: :class:`AugmentationSpec`

The module that holds the spec is imported by ``autoqa plugins list``, so it must import fast:
torch, transformers, datasets and the like belong inside the functions that use them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from autoqa.options import Options
from autoqa.placing.examples import Examples, examples_from
from autoqa.placing.options import RowOptions
from autoqa.placing.selection import selected
from autoqa.reading.columnar import is_saved_dataset
from autoqa.reading.fields import row_from
from autoqa.reading.formats import missing_package, read_rows, rows_from
from autoqa.reading.options import ColumnNames, Delimiter, FormatName
from autoqa.reading.rows import RawRow
from autoqa.types import Answer, Example

__all__ = [
    "API_VERSION",
    "Answer",
    "Augmentation",
    "AugmentationSpec",
    "AutoqaError",
    "BackboneFacts",
    "BackboneSpec",
    "ColumnNames",
    "ConfigError",
    "DataError",
    "Delimiter",
    "Example",
    "Examples",
    "FormatName",
    "MissingAssetError",
    "Options",
    "Precision",
    "RawRow",
    "RowOptions",
    "SourceSpec",
    "TokenBatch",
    "TrainingProtocol",
    "examples_from",
    "is_saved_dataset",
    "missing_package",
    "read_rows",
    "row_from",
    "rows_from",
    "selected",
]

API_VERSION = 1
"""Version of these contracts; a plugin states the one it was written for."""

Precision = Literal["auto", "fp32", "bf16", "fp16"]


class TrainingProtocol(Options):
    """How a backbone wants to be fine-tuned; each value can be overridden in the study file.

    Attributes:
        learning_rate: Peak learning rate of the encoder, and centre of the search's prior.
        epochs: Passes over the recipe.
        batch_size: Windows that one optimizer step sees (the effective batch).
        warmup_ratio: Share of the steps with a rising learning rate; linear decay follows.
        weight_decay: Decoupled weight decay; biases and norms are exempt.
        length: Tokens in a window; also the length that evaluation windows have.
        stride: Tokens shared by neighbouring windows; also that of evaluation windows.
        head_multiplier: Learning rate of the answer head relative to the encoder's.
        layer_decay: Factor on the learning rate per layer from the top; 1 switches it off.
        freeze_embeddings: Leave the embedding tables as they were pretrained.
        frozen_layers: How many of the lowest encoder layers are left as they were.
        cache_frozen: Compute what the frozen layers give once per window and keep it on disk for
            all runs; needs ``freeze_embeddings`` and ``frozen_layers``.
        dropout: Hidden and attention dropout while fine-tuning; ``None`` keeps the model's own.
        precision: ``auto`` takes bf16 where the device computes in it, else fp32.
        max_grad_norm: Gradient clipping threshold (Euclidean norm).
        micro_tokens: Most tokens in one forward pass while training; larger effective batches are
            accumulated, at equal gradients. ``None`` lets the device decide.
        gradient_checkpointing: Compute each layer's activations again in the backward pass instead
            of keeping them: less memory, about a third more time, equal gradients.
        compile: Train through ``torch.compile``; where it fails, uncompiled, and a note says so.
    """

    learning_rate: float = Field(default=3e-5, gt=0)
    epochs: float = Field(default=1.0, gt=0)
    batch_size: int = Field(default=32, ge=1)
    warmup_ratio: float = Field(default=0.1, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    length: int = Field(default=384, ge=1)
    stride: int = Field(default=128, ge=0)
    head_multiplier: float = Field(default=1.0, gt=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    freeze_embeddings: bool = False
    frozen_layers: int = Field(default=0, ge=0)
    cache_frozen: bool = False
    dropout: float | None = Field(default=None, ge=0, lt=1)
    precision: Precision = "auto"
    max_grad_norm: float = Field(default=1.0, gt=0)
    micro_tokens: int | None = Field(default=None, ge=1)
    gradient_checkpointing: bool = False
    compile: bool = False

    @model_validator(mode="after")
    def _overlap_fits(self) -> "TrainingProtocol":
        if self.stride >= self.length:
            raise ValueError(f"stride {self.stride} must be below length {self.length}")
        return self

    @model_validator(mode="after")
    def _can_cache_frozen(self) -> "TrainingProtocol":
        if self.cache_frozen and not (self.freeze_embeddings and self.frozen_layers):
            raise ValueError(
                "cache_frozen = true needs freeze_embeddings = true and frozen_layers of 1 or more "
                f"(here {str(self.freeze_embeddings).lower()} and {self.frozen_layers}): only what "
                "no training changes can be kept"
            )
        if self.cache_frozen and self.compile:
            raise ValueError("cache_frozen = true and compile = true exclude each other; set one")
        return self


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
    """A pretrained encoder that can be fine-tuned to find spans.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for ``autoqa plugins list``.
        options: Pydantic model that a study file's keys are bound against.
        protocol: Options to the published or measured way of fine-tuning it.
        prepare: (options, cache folder) to a folder in Hugging Face layout: ``config.json``,
            ``model.safetensors``, ``tokenizer.json``, ``tokenizer_config.json``. Called in a
            worker; what it makes goes below the cache folder, atomically, and is made once.
        missing: Options to a sentence that says what is not on this machine and how to get it,
            or ``None``. Must be quick and import nothing heavy.
        licence: Options to licence of the weights (SPDX identifier, or "unknown").
        facts: Options to what can be said before anything is loaded, for ``--dry-run``; asked only
            where nothing is missing. Must be quick and import nothing heavy.
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
    api_version: int = API_VERSION


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """A kind of data: a file format, a hub, a generator.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for ``autoqa plugins list``.
        options: Pydantic model that a study file's keys are bound against.
        load: Options to examples. Offsets must be exact: ``context[a.start:a.end] == a.text``.
            Raises DataError with file and line for a row that cannot be used.
        missing: Options to a sentence that says what is not on this machine and how to get it,
            or ``None``. Must be quick and import nothing heavy.
        licence: Options to licence of the data (SPDX identifier), or ``None`` where the plugin
            cannot know it; a study file's ``licence`` goes first.
        rows: Options to the rows that ``load`` begins with, as they stand, for the audit of data
            that may be wrong; their languages are ISO codes. Left out, the audit sees what
            ``load`` returns.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    options: type[BaseModel]
    load: Callable[[Any], Iterable[Example]]
    missing: Callable[[Any], str | None]
    licence: Callable[[Any], str | None] = lambda _: None
    rows: Callable[[Any], Iterable[RawRow]] | None = None
    api_version: int = API_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBatch:
    """The windows of one training batch, T tokens back to back.

    Attributes:
        input_ids: Token ids, int32 ``[T]``.
        is_context: Which tokens belong to a context, bool ``[T]``.
        is_answer: Which of them belong to the labelled answer, bool ``[T]``.
        starts_word: Which of them are the first of a word in their window, bool ``[T]``. Words
            are what white space separates, so scripts without it have long ones.
        mask_id: The tokenizer's mask token, or its unknown token where it has no mask.
    """

    input_ids: np.ndarray
    is_context: np.ndarray
    is_answer: np.ndarray
    starts_word: np.ndarray
    mask_id: int


class Augmentation:
    """Changes training data on the way in; overrides one or more of the hooks below.

    Every hook is pure: what is random comes from the generator it is handed.
    """

    def plan(
        self, tokens: int, room: int, stride: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Cuts a context into windows.

        Args:
            tokens: Tokens of the context.
            room: Most context tokens that fit into a window beside the question.
            stride: Tokens that neighbouring windows share.
            rng: Source of randomness.

        Returns:
            First and one-past-last context token of each window, int64 ``[windows]`` each,
            every window at most ``room`` long and all together covering the context; or
            ``None`` for the regular cut.
        """
        return None

    def mask(self, batch: TokenBatch, rng: np.random.Generator) -> np.ndarray:
        """Replaces tokens in a batch; labels and offsets stay where they are.

        Args:
            batch: The tokens and what is known about them.
            rng: Source of randomness.

        Returns:
            The tokens, int32 ``[T]``; a new array where anything changed.
        """
        return batch.input_ids


@dataclass(frozen=True, kw_only=True)
class AugmentationSpec:
    """An augmentation: one pure function, a thin adapter and a method card.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for ``autoqa plugins list``.
        options: Pydantic model that a study file's keys are bound against.
        build: Options to the augmentation.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    options: type[BaseModel]
    build: Callable[[Any], Augmentation]
    api_version: int = API_VERSION
