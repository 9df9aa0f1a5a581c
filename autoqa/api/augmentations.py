"""The contract of what changes training data on the way in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from autoqa.api.downloads import Download
from autoqa.api.version import API_VERSION
from autoqa.types import Example, ProgressCallback


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRows:
    """Rows that one pass over a portion has drawn.

    Attributes:
        examples: The rows; one that is drawn several times stands there as often.
        source: Name of a source of the study to all of its training examples; validation rows are
            never among them. It knows the sources that slots of the recipe name, and those of
            :attr:`AugmentationSpec.sources`.
        progress: Called with pieces done and pieces in all where the work takes minutes, so that
            nobody takes it for standing still; raises where it has to stop.
    """

    examples: Sequence[Example]
    source: Callable[[str], Sequence[Example]]
    progress: ProgressCallback = lambda _done, _total: None


class Augmentation:
    """Changes training data on the way in; overrides one or more of the hooks below.

    Every hook is pure: what is random comes from the generator it is handed.
    """

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """Changes what is asked, or what about, before contexts are cut into windows.

        Args:
            rows: What was drawn.
            rng: Source of randomness.

        Returns:
            The examples to train on instead, any number, with exact offsets, none more often than
            the most frequent row was drawn. An example that stays as it is comes back as the same
            object, so that it need not be encoded again.
        """
        return rows.examples

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
        missing: Options to a sentence that says what is not on this machine and how to get it,
            or ``None``; a :class:`Fetchable` where ``downloads`` get it. Must be quick and import
            nothing heavy.
        downloads: Options to what can be fetched of it and is not here; asks the network for
            sizes only. For ``autoqa fetch``.
        key: Options to what decides its work beside them, such as a digest of a file that they
            name; runs fork from one another only where it is the same. It is asked before
            anything is trained, too: raises DataError or ConfigError where it cannot be used.
        sources: Options to the names of sources that it takes rows from, beside those that it
            changes. They are loaded, and lose what stands in validation, as those of slots do.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    options: type[BaseModel]
    build: Callable[[Any], Augmentation]
    missing: Callable[[Any], str | None] = lambda _: None
    downloads: Callable[[Any], Sequence[Download]] = lambda _: ()
    key: Callable[[Any], str] = lambda _: ""
    sources: Callable[[Any], Sequence[str]] = lambda _: ()
    api_version: int = API_VERSION
