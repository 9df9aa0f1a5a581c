"""Rules about the ends of answers: brackets, abbreviations, punctuation."""

import unicodedata
from collections.abc import Iterator

from autoqa.text.scripts import is_letter
from autoqa.types import Span

_MARKS = frozenset(",;:.!?…·।॥،؛؟۔、。，：；！？-–—")
"""What ends a clause or a sentence in the scripts of the common data sets, and dashes."""

_QUOTE = '"'
_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»", "「": "」", "『": "』", "（": "）"}
_OPENING = {closing: opening for opening, closing in _PAIRS.items()}
_PIECE = 3
"""Most letters, vowel signs not counted, between two dots of an abbreviation."""


def brackets(span: Span, context: str) -> Span:
    """Takes in the partner of a bracket or double quote next to the answer, or drops the bracket.

    When: a model that sees tokens cuts an answer between two of them. A bracket without its
    partner at the very edge is dropped; one further inside takes in its partner if that is the
    next character. A partner further away is left alone: taking it in would add words.
    Single quotes are no brackets, because most of them are apostrophes.
    """
    low, high = span.start, span.end
    while count := len(_unpaired(context, low, high)):
        for a, b in _neighbours(context, low, high):
            a, b = _solid(context, a, b)
            if len(_unpaired(context, a, b)) < count:
                low, high = a, b
                break
        else:
            break
    return _moved(span, context, low, high)


def _neighbours(context: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Spans without an unpaired edge, then spans with the next character."""
    odd = _unpaired(context, low, high)
    if odd[0] == low:
        yield low + 1, high
    if odd[-1] == high - 1:
        yield low, high - 1
    if high < len(context) and context[high] in (*_OPENING, _QUOTE):
        yield low, high + 1
    if low and context[low - 1] in (*_PAIRS, _QUOTE):
        yield low - 1, high


def _unpaired(context: str, low: int, high: int) -> list[int]:
    """Places of brackets and quotes without a partner in a span, ascending."""
    opened: list[int] = []
    odd: list[int] = []
    for at in range(low, high):
        mark = context[at]
        partner = _QUOTE if mark == _QUOTE else _OPENING.get(mark)
        partners = [i for i, place in enumerate(opened) if context[place] == partner]
        if partners:  # what was opened since then is closed by nothing
            odd += opened[partners[-1] + 1 :]
            del opened[partners[-1] :]
        elif mark in _PAIRS or mark == _QUOTE:
            opened.append(at)
        elif mark in _OPENING:
            odd.append(at)
    return sorted(odd + opened)


def abbreviations(span: Span, context: str) -> Span:
    """Gives back the dot or the rest of an abbreviation that the answer cuts off.

    When: tokenizers cut at dots, and an annotator marks ``ई.पू.``, ``கி.மு.`` or ``U.S.`` whole.
    An abbreviation is two or more pieces of one to three letters (vowel signs not counted) with
    dots between them and no white space; a dot after the last piece belongs to it.
    """
    low, high = span.start, span.end
    if low < high:
        low = _abbreviation(context, low)[0]
        high = _abbreviation(context, high - 1)[1]
    return _moved(span, context, low, high)


def _abbreviation(context: str, at: int) -> tuple[int, int]:
    """The abbreviation that holds a character; that character alone where there is none."""
    low, high = at, at + 1
    if not _dotted(context[at]):
        return low, high
    while low and _dotted(context[low - 1]):
        low -= 1
    while high < len(context) and _dotted(context[high]):
        high += 1
    pieces = context[low:high].split(".")
    if not pieces[-1]:
        pieces.pop()
    sizes = [sum(unicodedata.category(c)[0] == "L" for c in piece) for piece in pieces]
    whole = len(pieces) > 1 and all(1 <= size <= _PIECE for size in sizes)
    return (low, high) if whole else (at, at + 1)


def _dotted(character: str) -> bool:
    return character == "." or is_letter(character)


def punctuation(span: Span, context: str) -> Span:
    """Strips commas, full stops, dandas, dashes and the like from both ends, and enclosing pairs.

    When: always worth a test; tokenizers that glue punctuation to words leave it in answers. The
    last dot of an abbreviation stays, and so does a sign before digits (``-5``, ``.5``). Brackets
    or double quotes are stripped where they enclose the whole answer.
    """
    low, high = _solid(context, span.start, span.end)
    while low < high:
        if _leads(context, low, high):
            low += 1
        elif context[high - 1] in _MARKS and not _closes(context, high - 1):
            high -= 1
        elif _enclosed(context, low, high):
            low, high = low + 1, high - 1
        else:
            break
        low, high = _solid(context, low, high)
    return _moved(span, context, low, high)


def _leads(context: str, low: int, high: int) -> bool:
    follows = context[low + 1 : min(low + 2, high)]
    return context[low] in _MARKS and not follows.isdecimal()


def _closes(context: str, at: int) -> bool:
    """Whether a mark is the last dot of an abbreviation."""
    low, high = _abbreviation(context, at)
    return high - low > 1


def _enclosed(context: str, low: int, high: int) -> bool:
    first, last = context[low], context[high - 1]
    if high - low < 3 or last != (_QUOTE if first == _QUOTE else _PAIRS.get(first)):
        return False
    inside = _unpaired(context, low + 1, high - 1)
    return not inside and (first != _QUOTE or _QUOTE not in context[low + 1 : high - 1])


def _solid(context: str, low: int, high: int) -> tuple[int, int]:
    """A span without white space at its ends."""
    text = context[low:high]
    return low + len(text) - len(text.lstrip()), low + len(text.rstrip())


def _moved(span: Span, context: str, low: int, high: int) -> Span:
    """The span at another place, or as it was where nothing would remain."""
    if low >= high:
        return span
    return Span(low, high, span.score, context[low:high])
