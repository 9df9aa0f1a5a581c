"""Scripts of texts, and which of them a language is written in."""

import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import numpy.typing as npt

_WRITTEN = {
    "LATIN": "en fr de es it pt nl fi sv da no is et lv lt pl cs sk sl hr hu ro sq tr az id ms jv "
    "su tl vi sw so ha yo ig zu xh af eu ca gl ga cy mt eo la uz",
    "DEVANAGARI": "hi mr ne sa mai bho kok",
    "CYRILLIC": "ru uk be bg mk kk ky mn tg",
    "ARABIC": "ar fa ur ps sd ug ckb",
    "BENGALI": "bn as",
    "GREEK": "el",
    "HEBREW": "he yi",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am ti",
    "TIBETAN": "bo dz",
    "HANGUL": "ko",
    "CJK": "zh ja ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
}
_OTHER = "OTHER"


@cache
def of_language(language: str) -> frozenset[str]:
    """The scripts that a language is usually written in; none where that is not known."""
    return frozenset(script for script, codes in _WRITTEN.items() if language in codes.split())


def letters(text: str) -> Counter[str]:
    """Letters of a text, vowel signs included, by script.

    A script is the first word of the characters' Unicode names, ``CJK`` for Han; what belongs to
    none of the scripts that this module knows counts as ``OTHER``.
    """
    if text.isascii():
        count = sum(map(str.isalpha, text))
        return Counter({"LATIN": count} if count else {})
    names, table = _table()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    counts = np.bincount(table[np.minimum(codes, len(table) - 1)], minlength=len(names))
    return Counter({names[at]: int(counts[at]) for at in np.flatnonzero(counts) if names[at]})


def fit(found: Counter[str], language: str) -> float:
    """Share of the letters that belong to the language's scripts; 1 where nothing can be said."""
    usual, total = of_language(language), found.total()
    if not usual or not total:
        return 1.0
    return sum(found[script] for script in usual) / total


@cache
def _table() -> tuple[list[str], npt.NDArray[np.uint8]]:
    """Names of scripts, and the place of each code point's script among them; 0 for no letter."""
    names = ["", _OTHER, *_WRITTEN]
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros(0x10000 + 1, np.uint8)  # the last stands for all planes but the first
    table[-1] = place[_OTHER]
    for code in range(0x10000):
        character = chr(code)
        if unicodedata.category(character)[0] in "LM":
            script = unicodedata.name(character, _OTHER).split()[0].split("-")[0]
            table[code] = place.get(script, 0 if script == "COMBINING" else place[_OTHER])
    return names, table
