"""Punctuation as the evaluation scripts of question answering take it away."""

import string
import unicodedata


class _PunctuationTable(dict[int, int | None]):
    """A table for ``str.translate`` that looks each code point up the first time it is met."""

    def __missing__(self, code: int) -> int | None:
        letter = chr(code)
        drop = letter in string.punctuation or unicodedata.category(letter).startswith("P")
        self[code] = None if drop else code
        return self[code]


_EVERY = _PunctuationTable()
_ASCII = str.maketrans("", "", string.punctuation)


def without_punctuation(text: str) -> str:
    """A text without the characters of a Unicode category ``P*`` and without ASCII punctuation.

    The latter also holds symbols such as ``$``.
    """
    return text.translate(_EVERY)


def without_ascii_punctuation(text: str) -> str:
    """A text without ASCII punctuation; the danda and 。 stay."""
    return text.translate(_ASCII)
