"""From rows as they stand in a file to examples with exact offsets."""

from collections.abc import Iterable, Sequence
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
from autoqa.placing.units import Reading, UnitEvidence, base_reading
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
    fates = Fates()
    taken = usable(rows, options, fates)
    readings = readings or _readings(taken, options)
    examples: list[Example] = []
    answers_of: list[tuple[RawRow, list[Placed | Undecided]]] = []
    for row in taken:
        try:
            placed = [_placed(row.context, *answer, options, readings) for answer in row.answers]
        except UnplacedError as error:
            if not options.drops:
                raise DataError(f"{row.where}: {error}") from None
            sentence = f"{error.expected}{error.found}; dropped."
            fates.rows.append(Fate(row.where, row.id, "dropped", (error.kind,), sentence))
            continue
        known = tuple(each.answer for each in placed if isinstance(each, Placed))
        examples.append(
            Example(row.id, row.question, row.context, known, row.language, row.document)
        )
        answers_of.append((row, placed))
        if options.offsets == "exact":
            without = (start in (None, -1) for _, start in row.answers)
            fates.single += sum(
                alone and isinstance(each, Placed)
                for alone, each in zip(without, placed, strict=True)
            )
    examples = _decided(examples, [placed for _, placed in answers_of], fates)
    for (row, placed), example in zip(answers_of, examples, strict=True):
        _tell(row, placed, example, base_reading(options.offset_unit), fates)
    return Settled(examples, fates)


def _readings(rows: Iterable[RawRow], options: RowOptions) -> list[Reading]:
    """What offsets may count, the likeliest first."""
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
    examples: list[Example], answers: Sequence[Sequence[Placed | Undecided]], fates: Fates
) -> list[Example]:
    """The examples with the answers that the text around them has placed."""
    undecided = {
        row: waiting
        for row, placed in enumerate(answers)
        if (waiting := [each for each in placed if isinstance(each, Undecided)])
    }
    if not undecided:
        return examples
    examples = list(examples)
    for row, decided in decide(examples, undecided).items():
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
