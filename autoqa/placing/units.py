"""What offsets of answers count: characters, UTF-16 units or bytes, and where they begin.

A reading of offsets gives every character a width; the offset of a character is the sum of the
widths before it. JavaScript, Java and .NET count UTF-16 units, Go and C bytes; tools that read
files in text mode count a CR LF as one; others strip a text before they look for an answer in it.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Unit = Literal["code-points", "utf-16", "bytes"]
OffsetUnit = Literal["auto", "code-points", "utf-16", "bytes"]

_NAMES = {"code-points": "code points", "utf-16": "UTF-16 units", "bytes": "UTF-8 bytes"}
_WIDENS_AFTER = {"code-points": (), "utf-16": (0xFFFF,), "bytes": (0x7F, 0x7FF, 0xFFFF)}
"""Code points after which a character takes one more."""

_COUNTED_DIFFERENTLY = re.compile(r"[^\x00-\x7f]|\r\n")

_CACHED = 64
"""Contexts (of a source's rows those about one context stand together) times readings."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the offsets of a source.

    Attributes:
        unit: What is counted: a character is one code point, one or two UTF-16 units, one to four
            UTF-8 bytes.
        joined: Whether a CR before a LF has width 0.
        stripped: Whether white space in front of the text has width 0.
    """

    unit: Unit
    joined: bool = False
    stripped: bool = False

    def __str__(self) -> str:
        """In words, after "offsets in"."""
        joined = ", CR LF as one" if self.joined else ""
        stripped = ", without leading white space" if self.stripped else ""
        return _NAMES[self.unit] + joined + stripped

    def offset(self, context: str, character: int) -> int:
        """Offset of a character, or of the end of the text, in this reading."""
        return int(_offsets(context, self)[character])

    def characters(self, context: str, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The characters that offsets mean, ``[N]``; -1 where one means none.

        Of several characters at one offset it is the last: all before it have width 0.
        """
        known = _offsets(context, self)
        last = np.searchsorted(known, offsets, side="right") - 1
        return np.where((offsets >= 0) & (known[last] == offsets), last, -1)

    def character(self, context: str, offset: int) -> int | None:
        """The character that an offset means, or ``None``."""
        if self == CODE_POINTS:
            return offset if 0 <= offset <= len(context) else None
        (found,) = self.characters(context, np.array([offset])).tolist()
        return None if found < 0 else found


CODE_POINTS = Reading("code-points")

READINGS = tuple(
    Reading(unit, joined, stripped)
    for stripped in (False, True)
    for joined in (False, True)
    for unit in ("code-points", "utf-16", "bytes")
)
"""All readings, plainer ones first."""


def base_reading(unit: OffsetUnit) -> Reading:
    """The reading that a source's option asks for, before any evidence."""
    return CODE_POINTS if unit == "auto" else Reading(unit)


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """How the offsets of a source fit in one reading.

    Attributes:
        reading: The reading.
        fits: Offsets at which the answer's text stands.
        gained: Those at which it does not stand in the base reading.
        lost: Offsets that fit in the base reading only.
        total: Offsets of the source.
    """

    reading: Reading
    fits: int
    gained: int
    lost: int
    total: int

    def __str__(self) -> str:
        """A sentence."""
        return f"{self.fits} of {self.total} offsets fit when counted in {self.reading}"


@dataclass
class UnitEvidence:
    """What all offsets of a source say about the reading that they were made with.

    A reading is supported if more offsets fit in it alone than in the base reading alone. Offsets
    that fit in both, as all do before the first character whose width differs, say nothing.

    Attributes:
        unit: What the study file says.
        total: Offsets so far.
    """

    unit: OffsetUnit = "auto"
    total: int = 0
    _fits: int = 0
    _counts: Counter[tuple[Reading, str]] = field(default_factory=Counter)
    _seen: set[Reading] = field(default_factory=set)

    def add(self, context: str, text: str, start: int) -> None:
        """Counts one answer that has an offset."""
        first, marks = _marks(context)
        (base, _), *others = _told_apart(self.unit, marks)
        here = _stands(context, text, start, base)
        self.total += 1
        self._fits += here
        if start < first:
            return
        for plain, readings in others:
            self._seen.add(readings[0])  # the plainest
            there = _stands(context, text, start, plain)
            if there != here:
                kind = "gained" if there else "lost"
                self._counts.update((reading, kind) for reading in readings)

    def counts(self) -> list[UnitCounts]:
        """The base reading first, then those that are supported, best first."""
        base = base_reading(self.unit)
        found = []
        for reading in self._seen:
            gained, lost = (self._counts[reading, kind] for kind in ("gained", "lost"))
            if gained > lost:
                fits = self._fits + gained - lost
                found.append(UnitCounts(reading, fits, gained, lost, self.total))
        found.sort(key=lambda one: (-one.fits, READINGS.index(one.reading)))
        return [UnitCounts(base, self._fits, 0, 0, self.total), *found]

    def readings(self) -> list[Reading]:
        """The readings in which an offset is looked up: supported ones, then the base."""
        base, *supported = self.counts()
        return [*(one.reading for one in supported), base.reading]


def all_agree(context: str, start: int) -> bool:
    """Whether an offset means the same character in whatever it counts."""
    return 0 <= start < _marks(context)[0]


def _stands(context: str, text: str, start: int, reading: Reading) -> bool:
    place = reading.character(context, start)
    return place is not None and context.startswith(text, place)


_Marks = tuple[bool, bool, bool, bool]


@cache
def _told_apart(unit: OffsetUnit, marks: _Marks) -> tuple[tuple[Reading, tuple[Reading, ...]], ...]:
    """The readings that say something of their own about contexts with these marks.

    Returns:
        The plainest of those that say the same, and all of them; what says the same as the base
        comes first.
    """
    base = base_reading(unit)
    groups: dict[Reading, list[Reading]] = {_plainest(base, marks): []}
    for reading in READINGS:
        if unit in ("auto", reading.unit):
            groups.setdefault(_plainest(reading, marks), []).append(reading)
    return tuple((plain, tuple(readings)) for plain, readings in groups.items())


def _plainest(reading: Reading, marks: _Marks) -> Reading:
    """The plainest reading that says the same about a context with these marks."""
    astral, wide, joined, stripped = marks
    differs = {"code-points": False, "utf-16": astral, "bytes": wide}[reading.unit]
    return Reading(
        reading.unit if differs else "code-points",
        joined=reading.joined and joined,
        stripped=reading.stripped and stripped,
    )


@lru_cache(_CACHED)
def _marks(context: str) -> tuple[int, _Marks]:
    """The first character that readings count differently, and what of the kind there is.

    That is astral characters, any beyond ASCII, CR LF, and leading white space.
    """
    stripped = context[:1].isspace()
    plain = context.isascii() and "\r\n" not in context
    found = None if plain else _COUNTED_DIFFERENTLY.search(context)
    first = 0 if stripped else len(context) if found is None else found.start()
    wide = not context.isascii()
    return first, (wide and max(context) > "\uffff", wide, "\r\n" in context, stripped)


@lru_cache(_CACHED)
def _offsets(context: str, reading: Reading) -> npt.NDArray[np.int32]:
    """Offset of each character and of the end, ``[characters + 1]``."""
    # Half a surrogate pair is no valid character, but JSON files hold some.
    codes = np.frombuffer(context.encode("utf-32-le", "surrogatepass"), np.uint32)
    widths = np.ones(len(codes), np.int32)
    for last in _WIDENS_AFTER[reading.unit]:
        widths += codes > last
    if reading.joined:
        widths[:-1][(codes[:-1] == ord("\r")) & (codes[1:] == ord("\n"))] = 0
    if reading.stripped:
        widths[: len(context) - len(context.lstrip())] = 0
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(widths, dtype=np.int32)])
