"""From rows as they stand in a file to examples with exact offsets."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from autoqa.errors import DataError
from autoqa.placing.fates import Fate, Fates
from autoqa.placing.options import RowOptions
from autoqa.placing.repair import (
    Placed,
    Undecided,
    UnplacedError,
    at_offset,
    first_occurrence,
    repaired,
    short,
)
from autoqa.placing.selection import usable
from autoqa.placing.units import Reading, UnitEvidence, all_agree, base_reading
from autoqa.placing.unknown_starts import UNSURE, decide
from autoqa.reading.rows import RawRow
from autoqa.types import Answer, Example


class Examples(list[Example]):
    """Examples, with sentences for people about what was left out or changed on the way.

    A source may return any iterable; one that drops or repairs rows returns this, so that nobody
    has to guess how many.

    Args:
        examples: The examples.
        notes: Sentences; the study's notes show them under the source's name.
    """

    def __init__(self, examples: Iterable[Example] = (), notes: Sequence[str] = ()) -> None:
        super().__init__(examples)
        self.notes = tuple(notes)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a source's rows.

    Attributes:
        examples: Those that are left, every answer at its offset.
        fates: What became of those that did not fit.
    """

    examples: list[Example]
    fates: Fates


def examples_from(rows: Iterable[RawRow], options: RowOptions, name: str) -> Examples:
    """Checks rows and turns them into examples.

    Args:
        rows: Rows in file order.
        options: What to do with those that do not fit.
        name: What the rows are called in messages: a path or a data set's id.

    Raises:
        DataError: A row is refused, most rows' languages are not known, or no row is left.
    """
    settled = settle(rows, options)
    if not settled.examples:
        raise DataError(_no_rows_sentence(name, settled.fates, options))
    return Examples(settled.examples, settled.fates.notes(name, UNSURE))


def settle(
    rows: Iterable[RawRow], options: RowOptions, readings: Sequence[Reading] | None = None
) -> Settled:
    """Repairs, drops or refuses rows as options say.

    Args:
        rows: Rows in file order.
        options: What to do with those that do not fit.
        readings: What the offsets may count, where that is known; see
            :meth:`autoqa.placing.units.UnitEvidence.readings`.

    Raises:
        DataError: A row is refused, or most rows' languages are not known.
    """
    with _collection_paused():
        return _settled(rows, options, readings)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Keeps the collector of cycles from walking all rows again and again: they hold none.

    It would take a third of the time that a million rows need.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _settled(
    rows: Iterable[RawRow], options: RowOptions, readings: Sequence[Reading] | None
) -> Settled:
    fates = Fates()
    examples: list[Example | None] = []
    doubtful: list[tuple[int, RawRow]] = []
    exact = options.offsets == "exact"
    for row, context, language, document, _, _ in usable(rows, options, fates):
        answers = _standing(context, row.answers) if exact else None
        if answers is not None:
            example = Example(row.id, row.question, context, answers, language, document)
            examples.append(example)
            continue
        settled = replace(row, context=context, language=language, document=document)
        doubtful.append((len(examples), settled))
        examples.append(None)
    readings = readings or _readings((row for _, row in doubtful), options)
    answers_of: dict[int, tuple[RawRow, list[Placed | Undecided]]] = {}
    for index, row in doubtful:
        placed = _of_row(row, options, readings, fates)
        if placed is None:
            continue
        known = tuple(each.answer for each in placed if isinstance(each, Placed))
        examples[index] = Example(
            row.id, row.question, row.context, known, row.language, row.document
        )
        answers_of[index] = row, placed
    return Settled(_finished(examples, answers_of, options, fates), fates)


def _standing(context: str, answers: Sequence[tuple[str, int | None]]) -> tuple[Answer, ...] | None:
    """A row's answers, if all stand at their offsets as they are, whatever offsets count."""
    for text, start in answers:
        if (
            start is None
            or not text
            or text[0].isspace()
            or text[-1].isspace()
            or not all_agree(context, start)
            or not context.startswith(text, start)
        ):
            return None
    return tuple([Answer(text, start) for text, start in answers if start is not None])


def _of_row(
    row: RawRow, options: RowOptions, readings: Sequence[Reading], fates: Fates
) -> list[Placed | Undecided] | None:
    """Where a row's answers stand; ``None`` if one stands nowhere, and the row is dropped."""
    try:
        placed = [_placed(row.context, *answer, options, readings) for answer in row.answers]
    except UnplacedError as error:
        if not options.drops:
            raise DataError(f"{row.where}: {error}") from None
        sentence = f"{error.expected}{error.found}; dropped."
        fates.rows.append(Fate(row.where, row.id, "dropped", (error.kind,), sentence))
        return None
    if options.offsets == "exact":
        without = (start in (None, -1) for _, start in row.answers)
        fates.single += sum(
            alone and isinstance(each, Placed) for alone, each in zip(without, placed, strict=True)
        )
    return placed


def _finished(
    examples: list[Example | None],
    answers_of: Mapping[int, tuple[RawRow, list[Placed | Undecided]]],
    options: RowOptions,
    fates: Fates,
) -> list[Example]:
    """The examples that are left, with the answers that the text around them places."""
    left = [example for example in examples if example is not None]
    if not answers_of:
        return left
    shift = 0
    at: dict[int, int] = {}  # place among all rows to that among those that are left
    for index, example in enumerate(examples):
        at[index] = index - shift
        shift += example is None
    placed_of = {at[index]: placed for index, (_, placed) in answers_of.items()}
    left = _decided(left, placed_of, fates)
    base = base_reading(options.offset_unit)
    for index, (row, placed) in answers_of.items():
        _tell(row, placed, left[at[index]], base, fates)
    return left


def _readings(rows: Iterable[RawRow], options: RowOptions) -> list[Reading]:
    """What offsets may count, the likeliest first.

    Args:
        rows: Those whose answers do not stand where all readings say that they do: the others say
            nothing.
        options: Whether rows are repaired, and what offsets count.
    """
    evidence = UnitEvidence(options.offset_unit)
    if options.repairs and options.offsets == "exact":
        for row in rows:
            for text, start in row.answers:
                if start is not None and start >= 0 and text.strip():
                    evidence.add(row.context, text, start)
    return evidence.readings()


def _placed(
    context: str, text: str, start: int | None, options: RowOptions, readings: Sequence[Reading]
) -> Placed | Undecided:
    if options.offsets == "first":
        return first_occurrence(context, text, repair=options.repairs)
    if options.repairs:
        return repaired(context, text, start, readings)
    return at_offset(context, text, start, readings[-1])


def _decided(
    examples: list[Example], answers: Mapping[int, Sequence[Placed | Undecided]], fates: Fates
) -> list[Example]:
    """The examples with the answers that the text around them has placed."""
    undecided = {
        row: waiting
        for row, placed in answers.items()
        if (waiting := [each for each in placed if isinstance(each, Undecided)])
    }
    for row, decided in decide(examples, undecided).items() if undecided else ():
        fates.decided += [each.confidence for each in decided]
        places = iter(decided)
        examples[row] = replace(
            examples[row],
            answers=tuple(
                each.answer if isinstance(each, Placed) else next(places).placed.answer
                for each in answers[row]
            ),
        )
    return examples


def _tell(
    row: RawRow,
    placed: Sequence[Placed | Undecided],
    example: Example,
    reading: Reading,
    fates: Fates,
) -> None:
    """Counts what was done to a row's answers."""
    kinds: dict[str, None] = {}
    sentence = ""
    for (text, start), each, answer in zip(row.answers, placed, example.answers, strict=True):
        how = each.how if isinstance(each, Placed) else each.candidates[0].how
        kinds.update(dict.fromkeys(how))
        if how and not sentence:
            before = _expected(row.context, text, start, reading)
            sentence = f"{before}; {_now(answer)}: {', '.join(how)}."
    if kinds:
        fates.rows.append(Fate(row.where, row.id, "repaired", tuple(kinds), sentence))


def _expected(context: str, text: str, start: int | None, reading: Reading) -> str:
    if start is None or start == -1:
        return f"expected {short(text)}"
    place = reading.character(context, start)
    there = "" if place is None else context[place : place + len(text)]
    return f"expected {short(text)} at {start}, found {short(there)}"


def _now(answer: Answer) -> str:
    return f"now {short(answer.text)} at character {answer.start}"


def _no_rows_sentence(name: str, fates: Fates, options: RowOptions) -> str:
    total = fates.total + fates.skipped.total()
    dropped = [fate for fate in fates.rows if fate.done == "dropped"]
    if not total:
        return f"{name}: it holds no rows; give a file with at least one question."
    if not dropped:
        return (
            f"{name}: no row is in {', '.join(options.languages or ())}; the {total} rows are in "
            f"{', '.join(sorted(fates.skipped))}: change the source's option languages."
        )
    hint = "" if options.repairs else ' Try on_mismatch = ["repair", "drop"].'
    return (
        f"{name}: none of its {total} rows is left, {len(dropped)} were dropped "
        f"({fates.listed('dropped')}); the first is {dropped[0].where}: {dropped[0].sentence}{hint}"
    )
