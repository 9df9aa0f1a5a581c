"""What code points are to the text around them, and which of them belong to the one before.

Extended grapheme clusters after Unicode Standard Annex #29, without its property files: they are
told from the general categories that the standard library has. Some marks of Myanmar and Tai Tham,
and symbols beside emoji, join more than the annex says; nothing joins less. White space never has
marks: what is cut at white space would lose them. Nor is a line feed part of
a carriage return: spans are never cut between the two.
"""

import unicodedata
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from autoqa.text.whitespace import is_blank


class Kind(IntEnum):
    """What a code point is.

    ``IGNORED`` are control and format characters that nobody sees; ``WORD`` letters and digits,
    of which syllables of Hangul, consonants and signs that join consonants have kinds of their own;
    ``OTHER`` is what is left, such as punctuation.
    """

    BLANK = 0
    IGNORED = 1
    OTHER = 2
    SYMBOL = 3
    REGIONAL = 4
    PREPENDED = 5
    MARK = 6
    JOINER = 7
    WORD = 8
    LINKER = 9
    CONSONANT = 10
    HANGUL_L = 11
    HANGUL_V = 12
    HANGUL_T = 13
    HANGUL_LV = 14
    HANGUL_LVT = 15


_END = 0x20000
"""Beyond the first two planes: ideographs, and in plane 14 marks that nobody sees alone."""
_TAGS = range(0xE0000, 0xE1000)
_FIRST_MARK = 0x300
"""No code point before this one joins another."""

_PICTURES = 0x1F000
"""Where emoji begin, those to come included."""

_BY_NAME = {
    Kind.PREPENDED: "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
    "\U000110bd\U000110cd\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a",
    Kind.JOINER: "\u200d",
    Kind.LINKER: "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d",
    Kind.MARK: "\u200c\u0e33\u0eb3\uff9e\uff9f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff",
    Kind.IGNORED: "\u3164\uffa0",
}
"""Code points whose category does not say it: number signs, joiners, viramas; the non-joiner, AM of
Thai and Lao, kana voicing and skin tones; letters that nobody sees."""
_LINKED = (0x900, 0x980, 0xA80, 0xB00, 0xC00, 0xD00)
"""Blocks of the scripts whose signs join consonants into one cluster: Devanagari, Bengali,
Gujarati, Oriya, Telugu, Malayalam."""
_HANGUL = (
    (0x1100, 0x1160, Kind.HANGUL_L),
    (0xA960, 0xA97D, Kind.HANGUL_L),
    (0x1160, 0x11A8, Kind.HANGUL_V),
    (0xD7B0, 0xD7C7, Kind.HANGUL_V),
    (0x11A8, 0x1200, Kind.HANGUL_T),
    (0xD7CB, 0xD7FC, Kind.HANGUL_T),
    (0xAC00, 0xD7A4, Kind.HANGUL_LVT),
)


def kinds(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The :class:`Kind` of each code point."""
    found: npt.NDArray[np.uint8] = _table()[np.minimum(codes, _END)]
    tags = codes >= _TAGS.start
    if tags.any():
        found = np.where(tags, Kind.OTHER, found).astype(np.uint8)
        found[tags & (codes < _TAGS.stop)] = Kind.MARK
    return found


def is_letter(kind: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which kinds are letters and digits, marks left out."""
    found: npt.NDArray[np.bool_] = (kind >= Kind.WORD) & (kind != Kind.LINKER)
    return found


def continues(codes: npt.NDArray[np.uint32], kind: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which characters belong to the cluster of the one before them.

    Args:
        codes: A text's code points, uint32 ``[C]``.
        kind: What :func:`kinds` says of them.

    Returns:
        bool ``[C]``; the first is never one.
    """
    joined = np.zeros(len(codes), bool)
    if not len(codes) or codes.max() < _FIRST_MARK:
        return joined
    np.take(_joins(), (kind[:-1] << 4) | kind[1:], out=joined[1:])
    place = np.arange(len(codes))
    consonants = kind == Kind.CONSONANT
    if consonants.any():  # marks between a linker and a consonant do not part them
        marks = (kind == Kind.MARK) | (kind == Kind.JOINER)
        base = np.maximum.accumulate(np.where(marks, 0, place))
        joined[1:] |= consonants[1:] & (kind[base[:-1]] == Kind.LINKER)
    flags = kind == Kind.REGIONAL
    if flags.any():  # they go in pairs
        begin = np.maximum.accumulate(np.where(flags, 0, place + 1))
        joined |= flags & ((place - begin) % 2 == 1)
    return joined


@cache
def marks() -> tuple[range, ...]:
    """The code points that belong to whatever letter stands before them, ascending."""
    table = _table()[:_END]
    held = np.isin(table, [Kind.MARK, Kind.JOINER, Kind.LINKER])
    edges = np.flatnonzero(np.diff(held, prepend=False, append=False)).tolist()
    return (*map(range, edges[::2], edges[1::2]), _TAGS)


@cache
def _table() -> npt.NDArray[np.uint8]:
    """Kinds of the first two planes, and behind them the one of those beyond."""
    categories = list(map(unicodedata.category, map(chr, range(_END))))
    kind_of = {name: _of_category(name) for name in set(categories)}
    table = np.array([kind_of[name] for name in categories] + [Kind.WORD], np.uint8)
    unassigned = np.array([name == "Cn" for name in categories[_PICTURES:]])
    table[_PICTURES:_END][unassigned] = Kind.SYMBOL
    for first, end, kind in _HANGUL:
        table[first:end] = kind
    table[0xAC00:0xD7A4:28] = Kind.HANGUL_LV
    for block in _LINKED:
        for letters in (table[block + 0x15 : block + 0x66], table[block + 0x70 : block + 0x80]):
            letters[letters == Kind.WORD] = Kind.CONSONANT
    table[0x1F1E6:0x1F200] = Kind.REGIONAL
    for kind, characters in _BY_NAME.items():
        table[[ord(character) for character in characters]] = kind
    table[:_END][is_blank(np.arange(_END, dtype=np.uint32))] = Kind.BLANK
    return table


def _of_category(category: str) -> Kind:
    """What most code points of a general category are."""
    if category in ("Cc", "Cf"):
        return Kind.IGNORED
    if category in ("So", "Sm"):
        return Kind.SYMBOL
    return {"M": Kind.MARK, "L": Kind.WORD, "N": Kind.WORD}.get(category[0], Kind.OTHER)


@cache
def _joins() -> npt.NDArray[np.bool_]:
    """Which kind belongs to the cluster of which kind before it, bool ``[16 before + kind]``."""
    joins = np.zeros((16, 16), bool)
    joins[Kind.OTHER :, [Kind.MARK, Kind.JOINER, Kind.LINKER]] = True
    joins[Kind.PREPENDED, Kind.OTHER :] = True
    joins[Kind.JOINER, Kind.SYMBOL] = True
    vowels = [Kind.HANGUL_L, Kind.HANGUL_V, Kind.HANGUL_LV, Kind.HANGUL_LVT]
    joins[Kind.HANGUL_L, vowels] = True
    joins[np.ix_([Kind.HANGUL_V, Kind.HANGUL_LV], [Kind.HANGUL_V, Kind.HANGUL_T])] = True
    joins[np.ix_([Kind.HANGUL_T, Kind.HANGUL_LVT], [Kind.HANGUL_T])] = True
    return joins.ravel()
