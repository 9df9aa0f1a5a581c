"""Texts word by word: a word that stands in them a thousand times is encoded once.

Texts repeat their words, and with them their tokens: SQuAD's 79,000 questions and their contexts
have 3.0 million words, of which 0.2 million are different. Where the tokenizer provably treats a
text as the words it consists of, encoding the different ones and putting their tokens together
gives the same tokens in a third of the time.
"""

import json
from collections import defaultdict
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from autoqa.features.flat import Characters, encode_texts
from autoqa.features.offsets import mend
from autoqa.features.windows import ragged_index

_BY_CHARACTER = {None, "BertNormalizer", "Nmt", "NFC", "NFD", "NFKC", "NFKD", "Lowercase"}
_SQUEEZE = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
_SPACE = 32
_RUN = 256
"""Words that are put together to be encoded at once."""


def splits_into_words(core: Any) -> bool:
    """Whether a tokenizer's tokens of a text are those of its words, one after the other.

    Told from its parts, of which only those that were looked into count: BERT's and
    SentencePiece's with the usual normalisers. The others encode each text whole.

    Args:
        core: A tokenizer of :mod:`tokenizers`.
    """
    normalizer, cutter, processor = map(
        _settings, (core.normalizer, core.pre_tokenizer, core.post_processor)
    )
    steps = normalizer.get("normalizers", [normalizer])
    return (
        all(step["type"] in _BY_CHARACTER or step == _SQUEEZE for step in steps)
        and (cutter["type"] == "BertPreTokenizer" or cutter == _METASPACE)
        and processor["type"] in ("TemplateProcessing", "BertProcessing")
        and not getattr(core.model, "dropout", None)
        and not any(
            token.rstrip or token.single_word or any(map(str.isspace, token.content))
            for token in core.get_added_tokens_decoder().values()
        )
    )


def _settings(part: Any) -> dict[str, Any]:
    """A part of a tokenizer as its file describes it."""
    settings: dict[str, Any] = {"type": None}
    if part is not None:
        settings = json.loads(part.__getstate__())
    return settings


class WordEncoder:
    """Encodes texts word by word and remembers the words.

    Words are cut before single spaces between characters that no normaliser turns into white
    space or nothing, and keep the space: it is part of their first token's range in
    SentencePiece, and nothing in BERT.

    Args:
        core: A tokenizer for which :func:`splits_into_words` holds.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        self._seen: defaultdict[str, int] = defaultdict(count().__next__)
        self._ids = np.zeros(0, np.int32)
        self._offsets = np.zeros((0, 2), np.int32)
        self._ranges = np.zeros((0, 2), np.int64)
        self._probed = np.zeros(0x110000, bool)
        self._solid = np.zeros(0x110000, bool)

    def encode(self, characters: Characters) -> tuple[npt.NDArray[np.int32], ...]:
        """The same as :func:`autoqa.features.flat.encode_texts`, with offsets mended."""
        starts, ends, begins_text = self._cut(characters)
        text = characters.text
        words = [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        rows = np.fromiter(map(self._seen.__getitem__, words), np.int64, len(words))
        self._learn()
        index, edges = ragged_index(self._ranges[rows, 0], self._ranges[rows, 1])
        first_words = np.flatnonzero(begins_text)
        shift = starts - np.repeat(characters.starts, np.diff(np.append(first_words, len(starts))))
        offsets = np.take(self._offsets, index, axis=0)
        offsets += np.repeat(shift.astype(np.int32), np.diff(edges))[:, None]
        counts = np.diff(edges[np.append(first_words, len(starts))])
        return np.take(self._ids, index), offsets, counts.astype(np.int32)

    def _cut(self, characters: Characters) -> tuple[npt.NDArray[Any], ...]:
        """Where words begin and end, and which are the first of a text."""
        codes, total = characters.codes, len(characters.codes)
        text_edge = np.zeros(total + 1, bool)
        text_edge[characters.starts] = True
        solid = self._find_solid(codes)[codes]
        cut = text_edge[:-1].copy()
        cut[1:-1] |= (codes[1:-1] == _SPACE) & solid[:-2] & solid[2:]
        starts = np.flatnonzero(cut)
        ends = np.append(starts[1:], total)[: len(starts)]
        text_edge[total] = True
        # The line feed that ends a text is not a part of its last word.
        return starts, ends - text_edge[ends], text_edge[starts]

    def _find_solid(self, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """Which code points stay something that is not white space, bool ``[0x110000]``."""
        here = np.zeros(len(self._probed), bool)
        here[codes] = True
        normalizer = self._core.normalizer
        for code in np.flatnonzero(here & ~self._probed).tolist():
            made = normalizer.normalize_str(chr(code)) if normalizer is not None else chr(code)
            around = made + chr(code)
            self._solid[code] = made != "" and not any(c.isspace() or c == "▁" for c in around)
        self._probed |= here
        return self._solid

    def _learn(self) -> None:
        """Encodes the words that have not been met before."""
        fresh = list(self._seen)[len(self._ranges) :]
        if not fresh:
            return
        solid = self._solid
        inner = np.array(
            [w[0:1] == " " and len(w) > 1 and solid[ord(w[1])] and solid[ord(w[-1])] for w in fresh]
        )
        places = np.concatenate([np.flatnonzero(inner), np.flatnonzero(~inner)])
        words = [fresh[place] for place in places.tolist()]
        between = int(inner.sum())
        parts = self._encode_inner(words[:between]), encode_texts(self._core, words[between:])
        ids, offsets, counts = (np.concatenate(pair) for pair in zip(*parts, strict=True))
        # No word begins or ends inside a gap between tokens, but at its white space.
        offsets = mend(Characters.of(words), offsets, counts).offsets
        ends = len(self._ids) + np.cumsum(counts, dtype=np.int64)
        ranges = np.empty((len(fresh), 2), np.int64)
        ranges[places] = np.stack([ends - counts, ends], axis=1)
        self._ids = np.concatenate([self._ids, ids])
        self._offsets = np.concatenate([self._offsets, offsets])
        self._ranges = np.concatenate([self._ranges, ranges])

    def _encode_inner(self, words: list[str]) -> tuple[npt.NDArray[np.int32], ...]:
        """Words that can be put together and cut again are encoded many at once, which is faster.

        Returns:
            Ids, offsets inside each word, tokens in each word.
        """
        runs = ["".join(words[at : at + _RUN]) for at in range(0, len(words), _RUN)]
        ids, offsets, counts = encode_texts(self._core, runs)
        sizes = np.fromiter(map(len, words), np.int64, len(words))
        begins = np.cumsum(sizes) - sizes
        run_begins = np.repeat(begins[::_RUN], counts)
        word = np.searchsorted(begins, offsets[:, 0] + run_begins, side="right") - 1
        offsets -= (begins[word] - run_begins).astype(np.int32)[:, None]
        return ids, offsets, np.bincount(word, minlength=len(words)).astype(np.int32)
