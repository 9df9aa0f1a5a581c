"""Which scripts a text is written in, by the names that Unicode gives letters; and languages.

The standard library has no script property, but the first word of a letter's name is its script:
``DEVANAGARI LETTER KA``, ``TAMIL VOWEL SIGN AA``, ``CJK UNIFIED IDEOGRAPH-4E00``.
"""

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
"""Script to the languages that are written in it, first the one that most of its readers read."""

_OTHER = "OTHER"
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
"""Of ASCII."""
_PLANE = 0x10000
"""Code points of the first plane; what lies beyond it is rare."""


def is_letter(character: str) -> bool:
    """Whether words are made of it: letters, and the vowel signs and marks that letters carry."""
    return unicodedata.category(character)[0] in "LM"


def scripts(text: str) -> Counter[str]:
    """How many letters and vowel signs of each script a text has, such as ``DEVANAGARI``.

    What belongs to none of the scripts that this module knows counts as ``OTHER``.
    """
    if text.isascii():
        count = len(text.encode("ascii").translate(None, _NO_LETTERS))
        return Counter({"LATIN": count} if count else {})
    names, table = _table()
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    inside = codes < _PLANE
    counts = np.bincount(table[codes[inside]], minlength=len(names))
    letters = Counter({names[at]: int(counts[at]) for at in np.flatnonzero(counts) if names[at]})
    rare = sum(is_letter(chr(code)) for code in codes[~inside].tolist())
    return letters + Counter({_OTHER: rare})


def script(text: str) -> str:
    """The script of most letters, of equally frequent ones the first by name; empty without any."""
    letters = scripts(text)
    return min(letters, key=lambda name: (-letters[name], name), default="")


def language_of(given: str, text: str) -> str:
    """ISO 639-1 code of a text's language.

    Args:
        given: What the row says of it. A code of two letters (``hi``, ``hi-IN``) is believed;
            anything else, such as a name or nothing, leaves it to the script.
        text: The text; a script stands for the language that most of its readers read, so text in
            another language of that script should come with its code.

    Returns:
        The code; empty where nothing says it.
    """
    code = given.strip().replace("_", "-").partition("-")[0]
    if len(code) == 2 and code.isascii() and code.isalpha():
        return code.lower()
    return _WRITTEN.get(script(text), "").partition(" ")[0]


@cache
def of_language(language: str) -> frozenset[str]:
    """The scripts that a language is usually written in; none where that is not known."""
    return frozenset(script for script, codes in _WRITTEN.items() if language in codes.split())


def fit(letters: Counter[str], language: str) -> float:
    """Share of the letters that belong to the language's scripts; 1 where nothing can be said."""
    usual, total = of_language(language), letters.total()
    if not usual or not total:
        return 1.0
    return sum(letters[script] for script in usual) / total


@cache
def _table() -> tuple[list[str], npt.NDArray[np.uint8]]:
    """Names of scripts, and the place of each code point's script among them; 0 for no letter."""
    names = ["", _OTHER, *_WRITTEN]
    place = {name: at for at, name in enumerate(names)}
    table = np.zeros(_PLANE, np.uint8)
    for code in range(_PLANE):
        character = chr(code)
        if is_letter(character):
            script = unicodedata.name(character, _OTHER).split()[0].split("-")[0]
            table[code] = place.get(script, 0 if script == "COMBINING" else place[_OTHER])
    return names, table
