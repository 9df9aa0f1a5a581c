"""Many documents: cut into passages, and searched for those that a question may be about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from autoqa.errors import DataError, MissingAssetError
from autoqa.reading.content import is_unicode
from autoqa.reading.references import type_name
from autoqa.reading.text_files import read_texts
from autoqa.text.index_terms import index_terms
from autoqa.text.passages import passages

PASSAGES = 50
"""Passages that are read for a question unless another number is asked for."""

_NO_TERM = "\0"
"""Stands for all that a passage of punctuation has; no question has it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document, as models read it.

    Attributes:
        document: The document's place among all, from 0.
        name: The document's name, such as its path; empty where it has none.
        start: First character of the passage in the document.
        text: The passage.
    """

    document: int
    name: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class NearPassage:
    """A passage as the first stage found it.

    Attributes:
        passage: The passage.
        nearness: Its BM25 score less that of the nearest passage, 0 or below.
    """

    passage: Passage
    nearness: float


class Documents:
    """Texts in which answers are looked for.

    What a first-stage search needs (BM25, Robertson and Zaragoza, The Probabilistic Relevance
    Framework, 2009, by the package bm25s) is made when it is first asked for and kept, so one
    object should serve all questions.

    Args:
        texts: The documents.
        names: What they are called in results, such as paths; left out, their numbers stand for
            them.

    Attributes:
        passages: All passages in the order of the documents.

    Raises:
        DataError: A document is no text, or there is nothing to read in any.
    """

    def __init__(self, texts: Sequence[str], names: Sequence[str] = ()) -> None:
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            raise DataError(
                f"contexts must be a list of texts, found {type_name(texts)}: put it into a list."
            )
        if names and len(names) != len(texts):
            raise DataError(f"{len(names)} names for {len(texts)} documents: give one each.")
        self._count = len(texts)
        self.passages: list[Passage] = []
        for number, text in enumerate(texts):
            name = names[number] if names else ""
            if not isinstance(text, str):
                raise DataError(f"context {number + 1} must be text, found {type_name(text)}.")
            if not is_unicode(text):
                raise DataError(f"context {name or number + 1} holds half a surrogate pair.")
            self.passages += [
                Passage(number, name, low, text[low:high]) for low, high in passages(text)
            ]
        if not self.passages:
            raise DataError("contexts is empty: give at least one text to look for answers in.")

    @classmethod
    def from_folder(cls, folder: str | Path) -> Self:
        """The text files below a folder, see :func:`autoqa.reading.text_files.read_texts`."""
        texts = read_texts(Path(folder))
        return cls(list(texts.values()), list(texts))

    def __len__(self) -> int:
        return self._count

    def nearest(self, question: str, count: int | None = None) -> list[NearPassage]:
        """The passages that have most in common with a question, best first.

        Args:
            question: The question.
            count: How many; ``None`` takes all.

        Raises:
            MissingAssetError: The package that searches is not installed, and is needed.
        """
        if len(self.passages) == 1:
            return [NearPassage(self.passages[0], 0.0)]
        # A question without any known term is as far from all of them.
        terms = self._index.get_tokens_ids(index_terms(question))
        scores = np.zeros(len(self.passages))
        if terms:
            scores = self._index.get_scores_from_ids(terms).astype(np.float64)
        order = np.argsort(-scores, kind="stable")[:count]
        distances = scores[order] - scores.max()
        pairs = zip(order.tolist(), distances.tolist(), strict=True)
        return [NearPassage(self.passages[at], distance) for at, distance in pairs]

    def prepare(self) -> None:
        """Makes the index now, so that the first question does not wait for it."""
        _ = self._index

    @cached_property
    def _index(self) -> Any:
        try:
            import bm25s
        except ImportError as error:
            raise MissingAssetError(
                f"looking through {len(self.passages):,} passages needs the package {error.name}: "
                "pip install 'autoqa[documents]'."
            ) from error
        index = bm25s.BM25()
        # BM25 divides by the mean number of terms, which must not be 0.
        terms = [index_terms(each.text) or [_NO_TERM] for each in self.passages]
        index.index(terms, show_progress=False)
        return index
