"""What a first-stage search compares of texts in any script: words and pieces of words.

Words alone miss inflected forms, and there are none where nothing stands between them. So each word
comes with its runs of five characters, those of Hangul and of scripts without spaces with their
pairs (McNamee and Mayfield, Character n-gram tokenization for European language text retrieval,
2004). Of 10,000 paragraphs in ten languages the one with the answer is among the first 20 for 94 %
of the questions so, for 89 % by words alone (``tests/benchmarks/bench_documents.py``).
"""

import unicodedata
from collections.abc import Iterator

from autoqa.text.segmentation import is_unspaced, pieces

_RUN, _SHORT_RUN = 5, 2
_HANGUL = ("\uac00", "\ud7a3")
_WHOLE = "\0"
"""Tells a word from a run of the same letters."""


class _LetterTable(dict[int, str]):
    """For ``str.translate``: letters and digits without case, white space for all others."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        between = unicodedata.category(letter)[0] in "PSZC"
        self[code] = " " if between else letter.casefold()
        return self[code]


_LETTERS = _LetterTable()


def index_terms(text: str) -> list[str]:
    """The terms of a text, each as often as it occurs; equal for compatible spellings (NFKC)."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    found: list[str] = []
    for word in plain.translate(_LETTERS).split():
        if word.isascii():
            found += _terms(word, _RUN)
            continue
        for part, unspaced in _parts(word):
            short = unspaced or _HANGUL[0] <= part[0] <= _HANGUL[1]
            found += _terms(part, _SHORT_RUN if short else _RUN)
    return found


def _terms(word: str, size: int) -> list[str]:
    runs = [word[at : at + size] for at in range(len(word) - size + 1)]
    return [f"{word}{_WHOLE}", *(runs or (word,))]


def _parts(word: str) -> Iterator[tuple[str, bool]]:
    """A word cut where a script without spaces begins or ends."""
    run = ""
    for piece in pieces(word, "mixed"):
        if is_unspaced(piece):
            run += piece
            continue
        if run:
            yield run, True
            run = ""
        yield piece, False
    if run:
        yield run, True
