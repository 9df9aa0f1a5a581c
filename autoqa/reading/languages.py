"""ISO codes for the ways data files spell a language."""

import difflib
import re

CODES = {
    "arabic": "ar", "assamese": "as", "bengali": "bn", "bangla": "bn", "chinese": "zh",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "gujarati": "gu", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja",
    "kannada": "kn", "korean": "ko", "malay": "ms", "malayalam": "ml", "marathi": "mr",
    "nepali": "ne", "norwegian": "no", "odia": "or", "oriya": "or", "persian": "fa",
    "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romanian": "ro", "russian": "ru",
    "sinhala": "si", "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta",
    "telugu": "te", "thai": "th", "turkish": "tr", "ukrainian": "uk", "urdu": "ur",
    "vietnamese": "vi",
}  # fmt: skip

_CODE = re.compile(r"[a-z]{2,3}")
_TYDI_ID = re.compile(r"([a-z]+)-(?:-?\d+)-\d+")


def code(spelling: str) -> str:
    """ISO code of a language given as a code, a locale or an English name.

    Args:
        spelling: ``"hi"``, ``"zh-Hans"``, ``"pt_BR"`` or ``"Hindi"``.

    Raises:
        ValueError: It is none of these; the message suggests a near name.
    """
    lowered = spelling.strip().lower()
    if lowered in CODES:
        return CODES[lowered]
    subtag = re.split(r"[-_]", lowered, maxsplit=1)[0]
    if _CODE.fullmatch(subtag):
        return subtag
    near = difflib.get_close_matches(lowered, CODES, n=1)
    hint = f"; did you mean {near[0]!r} ({CODES[near[0]]!r})?" if near else ""
    raise ValueError(
        f"{spelling!r} is neither an ISO 639 code such as 'hi' nor an English name such as 'hindi'"
        f"{hint}"
    )


def code_in_id(identifier: str) -> str | None:
    """Language that a TyDi QA id begins with (``telugu-123-0``), the only place TyDi has it."""
    match = _TYDI_ID.fullmatch(identifier)
    return CODES.get(match.group(1)) if match else None
