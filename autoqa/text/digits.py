"""The rule about digits: articles that write numbers in two ways."""

import unicodedata
from collections import Counter
from collections.abc import Iterator

from autoqa.types import Span


def digits(span: Span, context: str) -> Span:
    """Moves to where the context writes the same with the digits that it mostly uses.

    When: articles in Indian languages mix their own digits with European ones, and an annotator
    who finds ``१९४७`` and ``1947`` in one article marks the usual form. The answer moves to the
    nearest place that differs from it in the digits only and is no part of a longer number; of two
    equally near ones to the earlier. Where both forms are equally frequent nothing moves.
    """
    zeros = {_zero(character) for character in span.text} - {None}
    if not zeros:
        return span
    counts = Counter(_zero(character) for character in context)
    del counts[None]
    usual, times = counts.most_common(1)[0]
    if zeros == {usual} or list(counts.values()).count(times) > 1:
        return span
    plain, wanted = context.translate(_PLAIN), span.text.translate(_PLAIN)
    places = [
        at
        for at in _occurrences(plain, wanted)
        if {_zero(c) for c in context[at : at + len(wanted)]} - {None} == {usual}
        and not plain[max(at - 1, 0) : at].isdecimal()
        and not plain[at + len(wanted) : at + len(wanted) + 1].isdecimal()
    ]
    if not places:
        return span
    start = min(places, key=lambda at: (abs(at - span.start), at))
    stop = start + len(wanted)
    return Span(start, stop, span.score, context[start:stop])


def _zero(character: str) -> int | None:
    """Code point of the zero that belongs to a digit; tells one set of digits from another."""
    value = unicodedata.decimal(character, None)
    return None if value is None else ord(character) - value


class _PlainDigits(dict[int, int]):
    """A table for ``str.translate`` that writes every decimal digit as ``0`` to ``9``."""

    def __missing__(self, code: int) -> int:
        value = unicodedata.decimal(chr(code), None)
        self[code] = code if value is None else ord("0") + value
        return self[code]


_PLAIN = _PlainDigits()


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)
