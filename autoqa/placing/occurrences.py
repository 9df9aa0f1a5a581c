"""Where a text occurs in a context, and what stands around it, in any script."""

import unicodedata
from functools import cache

_ENDS = frozenset(".!?।॥。！？؟۔။።")
_ENDS_ANYWHERE = frozenset("।॥。！？\n")
"""Marks that end a sentence even where no white space follows."""


def occurrences(context: str, text: str) -> tuple[int, ...]:
    """Every place at which the text begins, overlapping ones too, ascending."""
    places = []
    place = context.find(text)
    while place >= 0:
        places.append(place)
        place = context.find(text, place + 1)
    return tuple(places)


def sentences(text: str) -> list[tuple[int, int]]:
    """First and one-past-last character of each sentence; together they are the whole text.

    A sentence ends at a line feed, at a danda or a full-width mark, and at any other final mark
    that white space follows. Abbreviations are not known, so some sentences come in pieces.
    """
    bounds: list[tuple[int, int]] = []
    begin = 0
    for place, letter in enumerate(text, 1):
        if letter not in _ENDS and letter != "\n":
            continue
        if letter in _ENDS_ANYWHERE or place == len(text) or text[place].isspace():
            bounds.append((begin, place))
            begin = place
    if begin < len(text):
        bounds.append((begin, len(text)))
    return bounds


def splits_word(text: str, place: int) -> bool:
    """Whether a word goes on from the character before ``place`` to the one at it.

    A word is made of letters, marks (vowel signs among them) and digits of any script.
    """
    return 0 < place < len(text) and _in_word(text[place - 1]) and _in_word(text[place])


def excerpt(context: str, start: int, end: int, *, room: int = 60) -> str:
    """The fragment in brackets amid its sentence, on one line.

    Args:
        context: The whole text.
        start: First character of the fragment.
        end: One past its last character.
        room: Most characters of the sentence that are kept on either side.
    """
    low = max((first for first, _ in sentences(context) if first <= start), default=0)
    high = min((last for _, last in sentences(context) if last >= end), default=len(context))
    before, after = context[low:start], context[end:high]
    if len(before) > room:
        before = "…" + before[-room:]
    if len(after) > room:
        after = after[:room] + "…"
    return " ".join(f"{before}[{context[start:end]}]{after}".split())


@cache
def _in_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN"
