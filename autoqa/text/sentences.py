r"""Texts cut into sentences by their marks, whatever the language; no model, no list of words.

What ends a sentence: ``. ! ?``, the danda of Indian scripts, the marks of Arabic, Urdu and
Ethiopic before white space; those of Chinese and Japanese anywhere; and the end of a line. Where a
mark leaves doubt the sentence goes on: behind initials and short titles (``J. S. Bach``,
``Dr. Rao``), between digits, and before a small letter. Scripts without such marks, as Thai, are
cut at the ends of lines.
"""

import re

END = re.compile(r"[.!?।॥؟۔።]+[\"'”’»)\]]*\s+|[。！？．…]+[」』”’）]*")
"""A mark that may end a sentence, with what closes behind it."""

_LINE = re.compile(r"\s*\n\s*")
_WORD = re.compile(r"[^\s.,;:/()\[\]{}\"'“”‘’«»–—-]*$")
_LOOK = 40
"""Characters in front of a mark that are looked at."""
_TITLE = 3
"""Most letters of a capitalised word that a full stop shortens rather than ends."""


def sentences(text: str) -> list[tuple[int, int]]:
    """First and one-past-last character of each sentence of a text, in order.

    Together they hold all characters but white space; that at their ends belongs to none of them.
    """
    ends = [found.end() for found in END.finditer(text) if _ends(text, found)]
    ends += [found.end() for found in _LINE.finditer(text)]
    found, begin = [], 0
    for end in sorted({*ends, len(text)}):
        part = text[begin:end]
        low, high = begin + len(part) - len(part.lstrip()), begin + len(part.rstrip())
        if low < high:
            found.append((low, high))
        begin = end
    return found


def _ends(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark ends a sentence rather than a shortened word or a part of a number."""
    after = text[mark.end() : mark.end() + 1]
    if after.islower():
        return False
    before = text[max(mark.start() - _LOOK, 0) : mark.start()]
    if before[-1:].isdecimal() and after.isdecimal() and not mark[0][-1].isspace():
        return False
    if mark[0].rstrip() != ".":
        return True
    word = _WORD.search(before)[0]  # type: ignore[index]  # it matches any text
    shortened = word.istitle() and len(word) <= _TITLE
    return not (shortened or (len(word) == 1 and word.isalpha()))
