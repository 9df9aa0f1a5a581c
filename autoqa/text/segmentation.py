"""How texts are cut into the words that metrics count and that votes are held on.

``words`` cuts at white space only. A language that is written without spaces has whole sentences
for words then. ``mixed`` also cuts around each character of Han, kana, Thai, Lao, Khmer and
Myanmar, with the marks that it carries; what stands between them (Latin names, numbers in whatever
digits, punctuation) stays in one piece. That is the mixed segmentation of the MLQA evaluation
script (Lewis et al., MLQA: Evaluating Cross-lingual Extractive Question Answering, 2020), which
does so for Chinese. Scripts decide, not the language that a row says it is in, so that a Japanese
name in an English text counts as it does in a Japanese one.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import get_args

from autoqa.text.graphemes import marks
from autoqa.types import Segmentation

SEGMENTATIONS: tuple[Segmentation, ...] = get_args(Segmentation)

_UNSPACED: dict[str, tuple[tuple[int, int], ...]] = {
    "Han": (
        *((0x2E80, 0x2FDF), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029)),
        *((0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
        (0x20000, 0x3FFFF),
    ),
    "kana": (
        *((0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF)),
        *((0x31F0, 0x31FF), (0xFF66, 0xFF9D), (0x1AFF0, 0x1B16F)),
    ),
    "Thai": ((0x0E01, 0x0E30), (0x0E32, 0x0E32), (0x0E40, 0x0E46)),
    "Lao": ((0x0E81, 0x0EB0), (0x0EB2, 0x0EB2), (0x0EBD, 0x0EC6), (0x0EDC, 0x0EDF)),
    "Khmer": ((0x1780, 0x17B3), (0x17D7, 0x17D7), (0x17DC, 0x17DC)),
    "Myanmar": (
        *((0x1000, 0x102A), (0x103F, 0x103F), (0x1050, 0x1055), (0x105A, 0x105D), (0x1061, 0x1061)),
        *((0x1065, 0x1066), (0x106E, 0x1070), (0x1075, 0x1081), (0x108E, 0x108E)),
        *((0xA9E0, 0xA9E4), (0xA9E6, 0xA9EF), (0xA9FA, 0xA9FE), (0xAA60, 0xAA76), (0xAA7A, 0xAA7A)),
        (0xAA7E, 0xAA7F),
    ),
}
"""Letters of the scripts that put no spaces between words, first and last code point. Digits are
not among them: a number is a word, whatever its digits. AM of Thai and Lao counts as a mark."""


def cut(text: str, segmentation: Segmentation) -> list[tuple[int, int]]:
    """First and one-past-last character of each word, in their order."""
    pattern = _mixed() if segmentation == "mixed" else _SOLID
    return [found.span() for found in pattern.finditer(text)]


def pieces(text: str, segmentation: Segmentation) -> list[str]:
    """The words of a text in lower case, as metrics and votes compare them."""
    if segmentation == "words" or text.isascii():
        return text.lower().split()
    return [found.lower() for found in _mixed().findall(text)]


def separator(before: str, gap: str, after: str, segmentation: Segmentation) -> str:
    """What stands between two words of a text from which the words between them were taken away.

    Nothing where nothing need stand there and the text had no white space either, so that joined
    characters of unspaced scripts read on; a space everywhere else. Cut again, the joined text has
    the same words.

    Args:
        before: A word.
        gap: All that stood between the two.
        after: The next word.
        segmentation: Where the text was cut into words.
    """
    blank = any(character.isspace() for character in gap)
    return " " if blank or not parts(before, after, segmentation) else ""


def parts(before: str, after: str, segmentation: Segmentation) -> bool:
    """Whether two words that touch stay two words."""
    if segmentation == "words":
        return False
    if is_unspaced(after):
        return True
    return is_unspaced(before) and not _mark().match(after)


def is_unspaced(text: str) -> bool:
    """Whether a text begins with a letter of a script that puts no spaces between words."""
    return _letter().match(text) is not None


def unspaced_share(text: str) -> float:
    """Share of a text's characters, white space aside, that are such letters or theirs, 0 to 1."""
    words = [text[low:high] for low, high in cut(text, "mixed")]
    solid = sum(map(len, words))
    return sum(len(word) for word in words if is_unspaced(word)) / solid if solid else 0.0


_SOLID = re.compile(r"\S+")


@cache
def _letter() -> re.Pattern[str]:
    return re.compile(f"[{_letters()}]")


@cache
def _mark() -> re.Pattern[str]:
    return re.compile(f"[{_marks()}]")


@cache
def _mixed() -> re.Pattern[str]:
    letters = _letters()
    return re.compile(f"[{letters}][{_marks()}]*|[^\\s{letters}]+")


@cache
def _letters() -> str:
    return _class(pair for ranges in _UNSPACED.values() for pair in ranges)


@cache
def _marks() -> str:
    return _class((each.start, each.stop - 1) for each in marks())


def _class(ranges: Iterable[tuple[int, int]]) -> str:
    """The inside of a character class of a regular expression."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
