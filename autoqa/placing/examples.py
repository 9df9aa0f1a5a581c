"""From rows as they stand in a file to examples with exact offsets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from autoqa.errors import DataError
from autoqa.options import Options
from autoqa.reading import languages
from autoqa.reading.options import ColumnNames
from autoqa.reading.rows import RawRow
from autoqa.types import Answer, Example

_UNLABELLED = (
    "it says nothing about answers; give it answers or answer_text, empty where there is none."
)

LanguageCode = Annotated[str, AfterValidator(languages.code)]


class RowOptions(Options):
    """Options of every source whose rows come from outside.

    Attributes:
        language: Language of rows that state none: a code or an English name.
        languages: Only rows in these languages are taken; left out, all.
        columns: Field to column, where the rows' columns have names of their own.
        offsets: ``"exact"`` believes the file's ``answer_start``; ``"first"`` puts every answer
            at its first occurrence in the context, for files without offsets.
        on_mismatch: What happens to an answer that is not at its offset: ``"refuse"`` the file,
            ``"repair"`` the row (white space at the ends goes, the nearest occurrence counts), or
            ``"drop"`` it. The last two are counted in the notes.
    """

    language: LanguageCode | None = None
    languages: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = None
    columns: ColumnNames = Field(default_factory=dict)
    offsets: Literal["exact", "first"] = "exact"
    on_mismatch: Literal["refuse", "repair", "drop"] = "refuse"


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


class _Mismatch(Exception):  # noqa: N818 - not an error until the options make it one
    """An answer cannot be placed; the message says what was expected and found."""


def examples_from(rows: Iterable[RawRow], options: RowOptions, name: str) -> Examples:
    """Checks rows and turns them into examples.

    Args:
        rows: Rows in file order.
        options: What to do with those that do not fit.
        name: What the rows are called in messages: a path or a data set's id.

    Raises:
        DataError: A row cannot be used, or none is left.
    """
    skipped: Counter[str] = Counter()
    examples: list[Example] = []
    dropped = repaired = 0
    for row in selected(rows, options, skipped):
        if row.problem:
            raise DataError(f"{row.where}: {row.problem}")
        if not row.labelled:
            raise DataError(f"{row.where}: {_UNLABELLED}")
        try:
            answers, changed = _answers(row, options)
        except _Mismatch as mismatch:
            if options.on_mismatch == "drop":
                dropped += 1
                continue
            raise DataError(f"{row.where}: {mismatch}") from None
        repaired += changed
        examples.append(
            Example(row.id, row.question, row.context, answers, row.language, row.document)
        )
    if not examples:
        raise DataError(_no_rows_sentence(name, dropped, skipped, options))
    return Examples(examples, _notes(name, dropped, repaired, options))


def selected(
    rows: Iterable[RawRow], options: RowOptions, skipped: Counter[str] | None = None
) -> Iterator[RawRow]:
    """The rows in the wanted languages, each with an ISO code and the name of a document.

    Args:
        rows: Rows in file order.
        options: Which languages are wanted, and which one rows have that state none.
        skipped: Counts the other rows by language.

    Raises:
        DataError: A row's language is not known.
    """
    wanted = None if options.languages is None else set(options.languages)
    contexts: dict[str, tuple[str, str]] = {}
    spellings: dict[str, str] = {}
    for row in rows:
        if row.problem:
            yield row
            continue
        language = spellings.get(row.language) if row.language else None
        if language is None:
            language = _language(row, options)
            if row.language:
                spellings[row.language] = language
        if wanted is not None and language not in wanted:
            if skipped is not None:
                skipped[language] += 1
            continue
        # One string object per context, however many questions a file asks about it.
        context_and_document = contexts.get(row.context)
        if context_and_document is None:
            context_and_document = contexts[row.context] = (row.context, _fingerprint(row.context))
        context, document = context_and_document
        yield RawRow(
            where=row.where,
            id=row.id,
            question=row.question,
            context=context,
            answers=row.answers,
            language=language,
            document=row.document or document,
            labelled=row.labelled,
            numbered=row.numbered,
        )


def _fingerprint(context: str) -> str:
    return "context-" + blake2b(context.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _language(row: RawRow, options: RowOptions) -> str:
    if row.language:
        try:
            return languages.code(row.language)
        except ValueError as error:
            raise DataError(f"{row.where}: language {error}.") from None
    language = options.language or languages.code_in_id(row.id)
    if language is None:
        raise DataError(
            f"{row.where}: the row names no language; "
            'set the source\'s option language to its ISO code, such as language = "hi".'
        )
    return language


def _answers(row: RawRow, options: RowOptions) -> tuple[tuple[Answer, ...], bool]:
    placed: list[Answer] = []
    changed = False
    for text, start in row.answers:
        if options.offsets == "first":
            answer = _first_occurrence(row.context, text, repair=options.on_mismatch == "repair")
        elif text and start is not None and start >= 0 and row.context.startswith(text, start):
            answer = Answer(text, start)
        elif options.on_mismatch == "repair":
            answer = _nearest_occurrence(row.context, text, start)
        else:
            raise _Mismatch(_mismatch_sentence(row.context, text, start))
        if options.on_mismatch == "repair" and answer.text != answer.text.strip():
            leading = len(answer.text) - len(answer.text.lstrip())
            answer = Answer(answer.text.strip(), answer.start + leading)
        changed = changed or answer.text != text
        changed = changed or (options.offsets == "exact" and answer.start != start)
        placed.append(answer)
    return tuple(placed), changed


def _first_occurrence(context: str, text: str, *, repair: bool) -> Answer:
    text = text.strip() if repair else text
    start = context.find(text) if text.strip() else -1
    if start < 0:
        raise _Mismatch(f"the answer {_short(text)} does not occur in the context.")
    return Answer(text, start)


def _nearest_occurrence(context: str, text: str, start: int | None) -> Answer:
    stripped = text.strip()
    places = _occurrences(context, stripped) if stripped else []
    if not places:
        raise _Mismatch(f"the answer {_short(text)} does not occur in the context.")
    if start is None:
        if len(places) > 1:
            raise _Mismatch(
                f"the answer {_short(text)} has no answer_start and occurs {len(places)} times; "
                'give its offset, or set offsets = "first".'
            )
        return Answer(stripped, places[0])
    target = start + len(text) - len(text.lstrip())
    return Answer(stripped, min(places, key=lambda place: abs(place - target)))


def _occurrences(context: str, text: str) -> list[int]:
    places = []
    place = context.find(text)
    while place >= 0:
        places.append(place)
        place = context.find(text, place + 1)
    return places


def _mismatch_sentence(context: str, text: str, start: int | None) -> str:
    if not text.strip():
        return (
            "the answer is empty; leave answers empty for a question without one, "
            'or set on_mismatch = "drop".'
        )
    if start is None:
        return (
            f"the answer {_short(text)} has no answer_start; "
            'set offsets = "first" to take its first occurrence.'
        )
    text_there = context[start : start + len(text)] if start >= 0 else ""
    return (
        f"expected the answer {_short(text)} at character {start} of the context, found "
        f'{_short(text_there)}; correct the file, or set on_mismatch = "repair" or "drop".'
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _no_rows_sentence(name: str, dropped: int, skipped: Counter[str], options: RowOptions) -> str:
    total = dropped + skipped.total()
    if not total:
        return f"{name}: it holds no rows; give a file with at least one question."
    if skipped and not dropped:
        return (
            f"{name}: no row is in {', '.join(options.languages or ())}; the {total} rows are in "
            f"{', '.join(sorted(skipped))}: change the source's option languages."
        )
    return (
        f"{name}: none of its {total} rows is left, {dropped} were dropped because an answer is "
        'not in its place; try on_mismatch = "repair".'
    )


def _notes(name: str, dropped: int, repaired: int, options: RowOptions) -> list[str]:
    notes = []
    if dropped:
        notes.append(f"{name}: rows dropped because an answer is not in its place: {dropped}.")
    if repaired:
        how = "shortened" if options.offsets == "first" else "moved or shortened"
        notes.append(f"{name}: rows repaired, their answers {how}: {repaired}.")
    return notes
