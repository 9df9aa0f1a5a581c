"""Which script a text is written in, by the names that Unicode gives its letters.

The standard library has no script property, but the first word of a letter's name is its script:
``DEVANAGARI LETTER KA``, ``TAMIL VOWEL SIGN AA``, ``CJK UNIFIED IDEOGRAPH-4E00``.
"""

import unicodedata
from collections import Counter

_LANGUAGES = {
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "BENGALI": "bn",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "DEVANAGARI": "hi",
    "ETHIOPIC": "am",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "KHMER": "km",
    "LAO": "lo",
    "LATIN": "en",
    "MALAYALAM": "ml",
    "MYANMAR": "my",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "TIBETAN": "bo",
}
"""Script to ISO 639-1 code of the language that most of its readers read."""


def is_letter(character: str) -> bool:
    """Whether words are made of it: letters, and the vowel signs and marks that letters carry."""
    return unicodedata.category(character)[0] in "LM"


def scripts(text: str) -> Counter[str]:
    """How many letters and vowel signs of each script a text has, such as ``DEVANAGARI``."""
    found: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if is_letter(character):
            found[unicodedata.name(character, "UNKNOWN").partition(" ")[0]] += count
    return found


def script(text: str) -> str:
    """The script of most letters, of equally frequent ones the first by name; empty without any."""
    found = scripts(text)
    return min(found, key=lambda name: (-found[name], name), default="")


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
    return _LANGUAGES.get(script(text), "")
