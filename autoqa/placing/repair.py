"""Where one answer stands in its context.

An answer stands at its offset, or it is repaired, in this order:

1. white space at its ends goes;
2. it stands at its offset in another reading that its source supports
   (:mod:`autoqa.placing.units`);
3. it stands there in another form (:mod:`autoqa.placing.forms`);
4. it stands elsewhere: the occurrence nearest to the offset counts;
5. it stands elsewhere in another form.

The context stays as it is: the text of a placed answer is what its context has there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from autoqa.placing.forms import LEVELS, variant_at, variants
from autoqa.placing.occurrences import occurrences
from autoqa.placing.units import CODE_POINTS, Reading
from autoqa.types import Answer

BLANK_ENDS = "white space at its ends"
NEAREST = "offset fits in no unit, nearest occurrence taken"

EMPTY, ELSEWHERE, ABSENT, NO_START = (
    "an answer is empty",
    "an answer is not at its offset",
    "an answer does not occur",
    "an answer has no offset",
)
"""Kinds of answers that cannot be placed."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An answer in its place.

    Attributes:
        answer: The answer.
        how: What was done to it; empty where it stood at its offset as it is.
    """

    answer: Answer
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """An answer without an offset that occurs several times.

    Attributes:
        candidates: Each place, ascending.
    """

    candidates: tuple[Placed, ...]


class UnplacedError(Exception):
    """An answer cannot be placed; the message says what was expected and what was found.

    Args:
        kind: One of :data:`EMPTY`, :data:`ELSEWHERE`, :data:`ABSENT` and :data:`NO_START`.
        expected: What the row says.
        found: What the context says.
        way_out: What the author of the study can do.
    """

    def __init__(self, kind: str, expected: str, found: str, way_out: str) -> None:
        self.kind, self.expected, self.found = kind, expected, found
        super().__init__(f"{expected}{found}{way_out}")


def at_offset(context: str, text: str, start: int | None, reading: Reading) -> Placed:
    """The answer at its offset, as it is.

    Raises:
        UnplacedError: It is not there.
    """
    if start is not None and text.strip():
        place = reading.character(context, start)
        if place is not None and context.startswith(text, place):
            return Placed(Answer(text, place))
    raise _not_there(context, text, start, reading)


def first_occurrence(context: str, text: str, *, repair: bool) -> Placed:
    """The answer at its first occurrence.

    Args:
        context: The context.
        text: The answer's text.
        repair: Whether white space at its ends goes, and other forms count.

    Raises:
        UnplacedError: It does not occur.
    """
    wanted = text.strip() if repair else text
    if not text.strip():
        raise _empty()
    start = context.find(wanted)
    if start >= 0:
        return Placed(Answer(wanted, start), _ends(text, wanted))
    found = variants(context, wanted) if repair else []
    if not found:
        raise _absent(text)
    return _sliced(context, found[0].start, found[0].end, (LEVELS[found[0].level],))


def repaired(
    context: str, text: str, start: int | None, readings: Sequence[Reading]
) -> Placed | Undecided:
    """The answer where it stands, or most likely was meant to.

    Args:
        context: The context.
        text: The answer's text.
        start: Its offset; ``None`` and -1 stand for none.
        readings: What the offset may count, the likeliest first; the last is what it has to be
            where nothing is repaired.

    Raises:
        UnplacedError: It does not occur.
    """
    bare = text.strip()
    if not bare:
        raise _empty()
    if start is None or start == -1:
        return _without_offset(context, text, bare)
    if readings[0] == CODE_POINTS and start >= 0 and context.startswith(bare, start):
        return Placed(Answer(bare, start), _ends(text, bare))
    lead = len(text) - len(text.lstrip())
    base = readings[-1].character(context, start)
    places = {reading: reading.character(context, start) for reading in readings}
    known = {place: reading for reading, place in reversed(places.items()) if place is not None}
    unit = {place: () if place == base else (f"offset in {known[place]}",) for place in known}
    ordered = list(dict.fromkeys(place for place in places.values() if place is not None))
    # Some offsets are the text's without the white space in front of it, some with. Where both fit
    # it is the former: there no white space stands at the offset.
    targets = [(place, place + shift) for place in ordered for shift in dict.fromkeys((0, lead))]
    for place, target in targets:
        if context.startswith(bare, target):
            return Placed(Answer(bare, target), (*unit[place], *_ends(text, bare)))
    for place, target in targets:
        variant = variant_at(context, bare, target)
        if variant is not None:
            how = (*unit[place], LEVELS[variant.level])
            return _sliced(context, target, variant.end, how)
    return _nearest(context, text, bare, (ordered[0] if ordered else start) + lead)


def _nearest(context: str, text: str, bare: str, target: int) -> Placed:
    starts = occurrences(context, bare)
    if starts:
        start = min(starts, key=lambda place: abs(place - target))
        return Placed(Answer(bare, start), (*_ends(text, bare), *_moved(start, target)))
    found = variants(context, bare)
    if not found:
        raise _absent(text)
    nearest = min(found, key=lambda variant: abs(variant.start - target))
    how = (LEVELS[nearest.level], *_moved(nearest.start, target))
    return _sliced(context, nearest.start, nearest.end, how)


def _without_offset(context: str, text: str, bare: str) -> Placed | Undecided:
    ends = _ends(text, bare)
    found = [Placed(Answer(bare, start), ends) for start in occurrences(context, bare)]
    if not found:
        found = [
            _sliced(context, variant.start, variant.end, (LEVELS[variant.level],))
            for variant in variants(context, bare)
        ]
    if not found:
        raise _absent(text)
    return found[0] if len(found) == 1 else Undecided(tuple(found))


def _sliced(context: str, start: int, end: int, how: tuple[str, ...]) -> Placed:
    """What a context has from one place to another, without white space at its ends."""
    fragment = context[start:end]
    bare = fragment.strip()
    lead = len(fragment) - len(fragment.lstrip())
    return Placed(Answer(bare, start + lead), how)


def _ends(text: str, bare: str) -> tuple[str, ...]:
    return () if text == bare else (BLANK_ENDS,)


def _moved(start: int, target: int) -> tuple[str, ...]:
    return () if start == target else (NEAREST,)


def _not_there(context: str, text: str, start: int | None, reading: Reading) -> UnplacedError:
    if not text.strip():
        return _empty()
    if start is None:
        return UnplacedError(
            NO_START,
            f"the answer {short(text)} has no answer_start",
            "",
            '; set offsets = "first" to take its first occurrence, or let on_mismatch begin with '
            '"repair" to have it placed by the text around it.',
        )
    unit = "character" if reading == CODE_POINTS else f"offset (in {reading})"
    place = reading.character(context, start)
    there = "" if place is None else context[place : place + len(text)]
    return UnplacedError(
        ELSEWHERE,
        f"expected the answer {short(text)} at {unit} {start} of the context",
        f", found {short(there)}",
        '; correct the file, or set on_mismatch = "repair" or "drop".',
    )


def _empty() -> UnplacedError:
    return UnplacedError(
        EMPTY,
        "the answer is empty",
        "",
        '; leave answers empty for a question without one, or set on_mismatch = "drop".',
    )


def _absent(text: str) -> UnplacedError:
    return UnplacedError(ABSENT, f"the answer {short(text)} does not occur in the context", "", ".")


def short(text: str) -> str:
    """A text in quotation marks, at most sixty characters of it, its ends among them."""
    return repr(text if len(text) <= 60 else f"{text[:38]} … {text[-19:]}")
