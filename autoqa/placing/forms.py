"""An answer that stands in its context in another form: finding it, and what it is there.

A text is folded cluster by cluster (a character with the marks on it), so that every place of the
folded text is known in the text itself. Canonical decomposition (Unicode Standard Annex 15) is the
common form of NFC and NFD; marks are put into order within a cluster only.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from autoqa.placing.occurrences import occurrences

LEVELS = (
    "Unicode form",
    "white space inside",
    "HTML entities",
    "compatibility characters",
    "letter case",
)
"""What may differ between an answer and what its context has; each allows the ones before."""

_UNICODE, _BLANKS, _ENTITIES, _COMPATIBLE, _CASE = range(len(LEVELS))

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LONGEST_ENTITY = 34
_SLACK = 16
"""Characters beyond the answer's own, white space or invisible ones, that are looked at."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A place at which a text stands in another form.

    Attributes:
        start: Its first character.
        end: One past its last character.
        level: Number of the mildest of :data:`LEVELS` that makes it equal.
    """

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class _Folded:
    """A folded text.

    Attributes:
        text: The folded text.
        starts: Where each cluster begins in it, and its end, ascending.
        places: Where each cluster begins in the text itself, and its end.
    """

    text: str
    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]

    def place(self, start: int, *, last: bool) -> int | None:
        """Place in the text itself of a place in the folded text, ``None`` inside a cluster.

        Of several, since some clusters fold to nothing, it is the last or the first.
        """
        if last:
            at = int(np.searchsorted(self.starts, start, side="right")) - 1
        else:
            at = int(np.searchsorted(self.starts, start))
        return int(self.places[at]) if self.starts[at] == start else None


def variants(context: str, text: str) -> list[Variant]:
    """Where a text stands in a context in another form, in the mildest that there is; ascending.

    Args:
        context: The context.
        text: What is looked for, without white space at its ends.
    """
    # Who is in no context with all differences allowed is in none with fewer.
    if not _found(_folded(context, _CASE), text, _CASE):
        return []
    for level in range(len(LEVELS)):
        places = _found(_folded(context, level), text, level)
        if places:
            return [Variant(*place, level) for place in places]
    return []


def variant_at(context: str, text: str, place: int) -> Variant | None:
    """What stands at one place of a context, if it is the text in another form."""
    if _continues(context[place : place + 1]) or not _prefix(context, text, place, _CASE):
        return None
    for level in range(len(LEVELS)):
        end = _prefix(context, text, place, level)
        if end is not None:
            return Variant(place, end, level)
    return None


def _prefix(context: str, text: str, place: int, level: int) -> int | None:
    """One past the last character of a text that stands at a place of a context, folded."""
    wanted = _fold(text, level).text
    if not wanted:
        return None
    end = place + len(wanted) + _SLACK
    if level >= _ENTITIES and "&" in context[place:end]:
        end = place + len(wanted) * _LONGEST_ENTITY
    folded = _fold(context[place:end], level)
    if not folded.text.startswith(wanted):
        return None
    length = folded.place(len(wanted), last=False)
    return None if length is None else place + length


def _found(folded: _Folded, text: str, level: int) -> list[tuple[int, int]]:
    wanted = _fold(text, level).text
    places = []
    for start in occurrences(folded.text, wanted) if wanted else ():
        begin = folded.place(start, last=True)
        end = folded.place(start + len(wanted), last=False)
        if begin is not None and end is not None:
            places.append((begin, end))
    return places


@lru_cache(8)
def _folded(context: str, level: int) -> _Folded:
    return _fold(context, level)


def _fold(text: str, level: int) -> _Folded:
    pieces: list[str] = []
    places: list[int] = []
    fold, blank = _FOLDS[level], False
    for begin, cluster in _clusters(text, entities=level >= _ENTITIES):
        piece = fold(cluster)
        if piece == " " and blank and level >= _BLANKS:
            continue  # white space goes on, whatever invisible stands amid it
        blank = piece == " " or (blank and not piece)
        pieces.append(piece)
        places.append(begin)
    sizes = np.fromiter(map(len, pieces), np.int64, len(pieces))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return _Folded("".join(pieces), starts, np.array([*places, len(text)], np.int64))


def _clusters(text: str, *, entities: bool) -> Iterator[tuple[int, str]]:
    """First character of each cluster, and the cluster with entities as what they stand for."""
    begin = 0
    for entity in _ENTITY.finditer(text) if entities else ():
        meant = html.unescape(entity.group())
        if meant == entity.group():
            continue
        yield from _plain_clusters(text, begin, entity.start())
        yield entity.start(), meant
        begin = entity.end()
    yield from _plain_clusters(text, begin, len(text))


def _plain_clusters(text: str, begin: int, end: int) -> Iterator[tuple[int, str]]:
    for place in range(begin + 1, end):
        if not _continues(text[place]):
            yield begin, text[begin:place]
            begin = place
    if begin < end:
        yield begin, text[begin:end]


@cache
def _continues(character: str) -> bool:
    """Whether a character belongs to the one before it: a mark, or a part of a Hangul syllable."""
    # Some letters, such as the half-width voiced mark, are marks once they are decomposed.
    first = unicodedata.normalize("NFKD", character)[:1]
    return bool(first) and (
        unicodedata.category(first)[0] == "M"
        or "\u1160" <= first <= "\u11ff"
        or "\ud7b0" <= first <= "\ud7fb"
    )


def _canonical(cluster: str) -> str:
    return unicodedata.normalize("NFD", cluster)


def _spaced(cluster: str) -> str:
    """Any white space as a blank; what cannot be seen, such as a soft hyphen, as nothing."""
    if cluster.isspace():
        return " "
    folded = _canonical(cluster)
    if folded.isascii():
        return folded
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


def _compatible(cluster: str) -> str:
    return _spaced(unicodedata.normalize("NFKD", cluster))


def _cased(cluster: str) -> str:
    return _compatible(_compatible(cluster).casefold())


_FOLDS: tuple[Callable[[str], str], ...] = tuple(
    lru_cache(4096)(fold) for fold in (_canonical, _spaced, _spaced, _compatible, _cased)
)
