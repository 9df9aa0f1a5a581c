"""Many texts become flat token arrays, without Python work per token where that can be helped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from autoqa.text.whitespace import is_blank

_CHARACTERS = 2_000_000
"""Characters encoded at once: bounds the memory that encodings take before they are flattened."""


@dataclass(frozen=True, slots=True)
class Flat:
    """Tokens of texts back to back.

    Attributes:
        ids: Token ids, int32 ``[P]``.
        offsets: First and one-past-last character in the token's text, int32 ``[P, 2]``.
        starts_word: Which tokens are the first of a word, bool ``[P]``. A word is what white space
            separates; a token of white space alone belongs to the word that follows.
        ends: Where each text's tokens end, int64 ``[texts]``.
    """

    ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    starts_word: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.int64]

    @property
    def ranges(self) -> npt.NDArray[np.int64]:
        """First and one-past-last token of each text, int64 ``[texts, 2]``."""
        return np.stack([np.concatenate([np.zeros(1, np.int64), self.ends])[:-1], self.ends], 1)


@dataclass(frozen=True, slots=True)
class Characters:
    """Texts as code points, each with a line feed behind it.

    Attributes:
        text: All of them in one.
        codes: Code points, uint32 ``[C]``.
        starts: First character of each text, int64 ``[texts]``.
    """

    text: str
    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Characters":
        """Joins texts."""
        text = "".join(f"{each}\n" for each in texts)
        sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
        return cls(text, codes, np.cumsum(sizes) - sizes)

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """One past the last character of each text, int64 ``[texts]``."""
        return np.append(self.starts, len(self.codes))[1:] - 1

    @property
    def spaces(self) -> npt.NDArray[np.bool_]:
        """Which characters are white space, bool ``[C]``."""
        return is_blank(self.codes)


def batches(texts: list[str]) -> Iterator[list[str]]:
    """Texts in runs that are not too large to be encoded at once."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def encode_texts(core: Any, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], ...]:
    """What the tokenizer makes of texts.

    Args:
        core: A tokenizer of :mod:`tokenizers`.
        texts: What to encode, without special tokens.

    Returns:
        Ids int32 ``[P]``, offsets int32 ``[P, 2]``, tokens in each text int32 ``[texts]``.
    """
    encodings = core.encode_batch(texts, add_special_tokens=False)
    rows = [encoding.ids for encoding in encodings]
    counts = np.fromiter(map(len, rows), np.int32, len(rows))
    total = int(counts.sum())
    ids = np.fromiter(chain.from_iterable(rows), np.int32, total)
    pairs = chain.from_iterable(encoding.offsets for encoding in encodings)
    offsets = np.fromiter(chain.from_iterable(pairs), np.int32, 2 * total)
    return ids, offsets.reshape(total, 2), counts


def word_starts(
    characters: Characters, offsets: npt.NDArray[np.int32], counts: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Which tokens are the first of a word, see :class:`Flat`.

    Args:
        characters: The texts.
        offsets: Characters of their tokens, counted inside each text, int32 ``[P, 2]``.
        counts: Tokens in each text, int32 ``[texts]``.
    """
    spaces = characters.spaces
    begins = np.flatnonzero(~spaces & np.concatenate([np.ones(1, bool), spaces[:-1]]))
    places = offsets[:, 0] + np.repeat(characters.starts, counts)
    words = np.searchsorted(begins, places, side="right") + spaces[places]
    firsts = np.ones(len(words), bool)
    np.not_equal(words[1:], words[:-1], out=firsts[1:])
    # White space that ends a text belongs to no word of the next one.
    firsts[(np.cumsum(counts) - counts)[counts > 0]] = True
    return firsts
