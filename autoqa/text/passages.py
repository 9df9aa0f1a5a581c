r"""Long texts cut into passages at the ends of paragraphs and sentences, without losing a place.

Neighbours share some text, so that every fragment of at most :data:`SHARED` characters stands whole
in one of them: a passage begins at least so much before the end of the one before it.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from autoqa.text.sentences import END

MOST = 1000
"""Characters of the longest passage: about one window of most models."""
SHARED = 200
"""Characters of the longest fragment that no border cuts in two."""

_BORDERS = (
    re.compile(r"\n[^\S\n]*\n\s*"),  # paragraphs
    re.compile(r"\n\s*"),
    END,
    re.compile(r"\s+"),
)
"""What a passage ends behind, the best first."""


def passages(text: str, most: int = MOST, shared: int = SHARED) -> list[tuple[int, int]]:
    """First and one-past-last characters of a text's passages, in order.

    White space at their ends is left out, and so is what holds nothing else.

    Args:
        text: Of any length.
        most: Characters of the longest passage, more than four times ``shared``.
        shared: Every fragment of at most so many characters that neither begins nor ends with
            white space stands whole in a passage.

    Raises:
        ValueError: Passages would be too short to share so much.
    """
    if most <= 4 * shared or shared < 0:
        raise ValueError(f"passages of {most} characters cannot share {shared}")
    if len(text) <= most:
        return _solid(text, [(0, len(text))])
    borders = [[found.end() for found in pattern.finditer(text)] for pattern in _BORDERS]
    cuts, begin = [], 0
    while len(text) - begin > most:
        end = _border(borders, begin + most // 2, begin + most)
        cuts.append((begin, end))
        begin = _border(borders, end - 2 * shared, end - shared)
    return _solid(text, [*cuts, (begin, len(text))])


def _border(borders: Sequence[list[int]], low: int, high: int) -> int:
    """The last border of the best kind behind ``low`` and up to ``high``."""
    for kind in borders:
        first, last = bisect_right(kind, low), bisect_right(kind, high)
        if first < last:
            return kind[last - 1]
    return high


def _solid(text: str, cuts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The cuts without white space at their ends."""
    found = []
    for begin, end in cuts:
        part = text[begin:end]
        body = part.strip()
        if body:
            low = begin + len(part) - len(part.lstrip())
            found.append((low, low + len(body)))
    return found
