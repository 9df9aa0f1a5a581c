"""Rows to answer, and rows with known answers, from files and from requests."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from autoqa.bundle.documents import Documents
from autoqa.errors import DataError
from autoqa.reading.columns import Columns
from autoqa.reading.fields import RowMaker
from autoqa.reading.formats import rows_in
from autoqa.reading.rows import ContextNeed, RawRow
from autoqa.types import Answer, Example

UNKNOWN_LANGUAGE = "und"
"""ISO 639 for "undetermined": rows that do not say their language."""

_SHOWN = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One question about one context.

    Attributes:
        id: Names the answer in the output; unique in its file.
        question: The question.
        context: The text that holds the answer, of any length; empty where there are several.
        language: What is known of its language, best as ISO 639-1 code; only post-processing
            rules ask for it, and go by the script of the context where it is empty.
        contexts: Several texts, one of which holds the answer.
    """

    id: str
    question: str
    context: str = ""
    language: str = ""
    contexts: Documents | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The usable rows of a file, and what is wrong with the others.

    Attributes:
        good: Rows that can be answered, in the file's order.
        problems: One sentence with file and line for every other row.
        ids: The ids of all rows in the file's order, each once. Rows that cannot be read as far as
            their id are missing, unless no row of the file has one, so that their number is it.
    """

    good: tuple[Row, ...]
    problems: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredRows:
    """Rows whose answers are known.

    Attributes:
        rows: What is asked, in the file's order.
        examples: The same with their answers, for scoring. Where a row has several contexts, the
            example's is empty, and its answers stand nowhere in it.
    """

    rows: tuple[Row, ...]
    examples: tuple[Example, ...]


class _BadRow(Exception):  # noqa: N818
    """Carries what is wrong with one row; never leaves this module."""


def read_rows(
    path: Path,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    documents: Documents | None = None,
) -> Rows:
    """Reads rows to answer.

    Args:
        path: A file of any format that sources read, see :func:`autoqa.reading.formats.read_rows`.
            What it says about answers is not looked at; rows without an id are numbered.
        format: As there.
        columns: As there.
        delimiter: As there.
        documents: Where all questions are answered from; rows need no context then.

    Raises:
        ConfigError: There is no such format, field or delimiter.
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: The file cannot be read as a whole. What is wrong with single rows is in the
            result.
    """
    need: ContextNeed = "any" if documents is None else "none"
    raws = rows_in(
        path, format=format, columns=columns, delimiter=delimiter, labels=False, need=need
    )
    return _rows(raws, documents)


def check_items(items: Iterable[object]) -> Rows:
    """The same for rows that come as objects of JSON; problems say ``row 3`` and no file."""
    maker = RowMaker(Columns({}), labels=False, need="any")
    raws = (maker.row(item, f"row {number}", number) for number, item in enumerate(items, start=1))
    return _rows(raws)


def read_answered(
    path: Path,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> AnsweredRows:
    """Reads rows whose answers are known, for scoring.

    Rows with the same ``document`` or ``title`` belong together, rows without by their context, or
    by the first of their contexts that has an answer. Where an answer is not at its start, or has
    none, the first place of the answer in the context stands in for it: scores compare texts only.

    Args:
        path: As :func:`read_rows`.
        format: As there.
        columns: As there.
        delimiter: As there.

    Raises:
        ConfigError: As :func:`read_rows`.
        MissingAssetError: As :func:`read_rows`.
        DataError: As :func:`read_rows`, and for any row that cannot be used, or no row at all.
    """
    raws = rows_in(path, format=format, columns=columns, delimiter=delimiter, need="any")
    make = _RowMaker()

    def both(raw: RawRow, context: str) -> tuple[Row, Example]:
        return make(raw, context), _example(raw, context)

    good, problems, _ = _check(raws, both)
    refuse(problems)
    if not good:
        raise DataError(f"{path} holds no rows, so there is nothing to evaluate.")
    rows, examples = zip(*good, strict=True)
    return AnsweredRows(rows, examples)


def check_row(row: Row) -> None:
    """Checks a row that no file reader has checked.

    Raises:
        DataError: The question or the context is empty or no text.
    """
    # Several texts were checked when they were put together.
    context = "." if row.contexts is not None else row.context
    checked = check_items([{"question": row.question, "context": context}])
    if checked.problems:
        raise DataError(f"{row.id}{checked.problems[0].removeprefix('row 1')}")


def refuse(problems: tuple[str, ...] | list[str]) -> None:
    """Raises a DataError with the first of the problems, if there are any."""
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"... and {more} more such rows."] if more > 0 else []
        raise DataError("\n".join([*problems[:_SHOWN], *tail]))


class _RowMaker:
    """Makes rows to answer; those with the same list of texts share it, so it is searched once."""

    def __init__(self, documents: Documents | None = None) -> None:
        self._documents = documents
        self._known: dict[tuple[str, ...], Documents] = {}

    def __call__(self, raw: RawRow, context: str) -> Row:
        several = self._documents
        if raw.contexts:
            several = self._known.get(raw.contexts) or Documents(raw.contexts)
            self._known[raw.contexts] = several
        return Row(raw.id, raw.question, context, raw.language, several)


def _rows(raws: Iterable[RawRow], documents: Documents | None = None) -> Rows:
    good, problems, ids = _check(raws, _RowMaker(documents), one_context=documents is None)
    return Rows(tuple(good), tuple(problems), tuple(ids))


def _check(
    raws: Iterable[RawRow], make: Callable[[RawRow, str], T], *, one_context: bool = True
) -> tuple[list[T], list[str], list[str]]:
    """What is made of the good rows, what is wrong with the others, and the ids of all."""
    good: list[T] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    unread: dict[str, str] = {}
    # Many questions are asked about one context, which is kept once.
    texts: dict[str, str] = {}
    numbered = True
    for raw in raws:
        numbered &= raw.numbered
        try:
            if raw.problem:
                # A row that cannot be read may have had an id: its number stands for it only where
                # no row of the file has another.
                (unread if raw.numbered else seen).setdefault(raw.id, raw.where)
                raise _BadRow(raw.problem)
            if raw.id in seen:
                own = " (the row's number, as it has no id)" if raw.numbered else ""
                raise _BadRow(f"the id {raw.id!r}{own} was already used in {seen[raw.id]}.")
            without = ", as the number of a row without id" if raw.numbered else ""
            seen[raw.id] = raw.where + without
            if not raw.question or raw.question.isspace():
                raise _BadRow("question is empty.")
            if one_context and not raw.contexts and (not raw.context or raw.context.isspace()):
                raise _BadRow("context is empty.")
            good.append(make(raw, texts.setdefault(raw.context, raw.context)))
        except _BadRow as bad:
            problems.append(f"{raw.where}: {bad}")
    return good, problems, _in_order(seen, unread if numbered else {})


def _in_order(seen: Mapping[str, str], unread: Mapping[str, str]) -> list[str]:
    """Ids in the order of rows; with those of unread rows all are numbers."""
    return sorted([*seen, *unread], key=int) if unread else list(seen)


def _example(raw: RawRow, context: str) -> Example:
    if not raw.labelled:
        raise _BadRow(
            "no answers to compare with: evaluate needs answers (SQuAD's form) or answer_text, by "
            "--column answer_text=NAME where it is called NAME; autoqa predict takes rows without."
        )
    return Example(
        id=raw.id,
        question=raw.question,
        context=context,
        answers=tuple(_answer(text, start, context) for text, start in raw.answers),
        language=raw.language or UNKNOWN_LANGUAGE,
        document=raw.document or hashlib.sha256(_about(raw).encode()).hexdigest()[:16],
    )


def _about(raw: RawRow) -> str:
    """The context that a question is about: of several, the first one that has an answer."""
    with_answer = (
        context
        for context in raw.contexts
        if any(text and text in context for text, _ in raw.answers)
    )
    return next(with_answer, "\n".join(raw.contexts)) if raw.contexts else raw.context


def _answer(text: str, start: int | None, context: str) -> Answer:
    if start is None or start < 0 or not context.startswith(text, start):
        start = max(context.find(text), 0)
    return Answer(text, start)
