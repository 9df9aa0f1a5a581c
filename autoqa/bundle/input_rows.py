"""Rows to answer, and rows with known answers, from CSV, JSON Lines and SQuAD JSON files."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from autoqa.bundle.row_files import FileRow, json_row, parse
from autoqa.errors import DataError
from autoqa.types import Answer, Example

UNKNOWN_LANGUAGE = "und"
"""ISO 639 for "undetermined": rows that do not say their language."""

_SHOWN = 20
T = TypeVar("T")
_Shared = dict[str, str]
"""Contexts seen before: many questions are asked about one, which is kept once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question about one context.

    Attributes:
        id: Names the answer in the output; unique in its file.
        question: The question.
        context: The text that holds the answer, of any length.
        language: What is known of its language, best as ISO 639-1 code; only post-processing
            rules ask for it, and go by the script of the context where it is empty.
    """

    id: str
    question: str
    context: str
    language: str = ""


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


class _BadRow(Exception):  # noqa: N818
    """Carries what is wrong with one row; never leaves this module."""


def read_rows(path: Path) -> Rows:
    """Reads rows to answer.

    Args:
        path: ``.csv``, ``.jsonl`` or ``.json`` (SQuAD, or a list of rows), also with ``.gz``. The
            columns ``id`` (the row's number where there is none), ``question``, ``context`` and
            ``language`` (where there is one) are read, all others ignored.

    Raises:
        DataError: The file as a whole cannot be read: it is missing, of an unknown kind, has no
            column ``question`` or ``context``, or is no JSON. What is wrong with single rows is
            in the result.
    """
    good, problems, ids = _check(parse(path, ("question", "context")), _row)
    return Rows(tuple(good), tuple(f"{path}, {problem}" for problem in problems), tuple(ids))


def check_items(items: Iterable[object]) -> Rows:
    """The same for rows that come as objects of JSON; problems say ``row 3`` and no file."""
    raws = (json_row(f"row {number}", item) for number, item in enumerate(items, start=1))
    good, problems, ids = _check(raws, _row)
    return Rows(tuple(good), tuple(problems), tuple(ids))


def read_examples(path: Path) -> list[Example]:
    """Reads rows whose answers are known, for scoring.

    Besides the columns of :func:`read_rows`: ``answers`` (SQuAD's form) or ``answer_text``,
    ``language``, and ``document`` or ``title`` to tell which rows belong together; rows with the
    same context belong together in any case. Where a row has no valid ``answer_start``, the
    first place of the answer in the context stands in for it: scores compare texts only.

    Raises:
        DataError: As :func:`read_rows`, and for any row that cannot be used, or no row at all.
    """
    good, problems, _ = _check(parse(path, ("question", "context")), _example)
    refuse([f"{path}, {problem}" for problem in problems])
    if not good:
        raise DataError(f"{path} holds no rows, so there is nothing to evaluate.")
    return good


def check_row(row: Row) -> None:
    """Checks a row that no file reader has checked.

    Raises:
        DataError: The question or the context is empty or no text.
    """
    try:
        for name in ("question", "context"):
            _text({name: getattr(row, name)}, name)
    except _BadRow as bad:
        raise DataError(f"{row.id}: {bad}.") from None


def refuse(problems: tuple[str, ...] | list[str]) -> None:
    """Raises a DataError with the first of the problems, if there are any."""
    if problems:
        more = len(problems) - _SHOWN
        tail = [f"... and {more} more such rows."] if more > 0 else []
        raise DataError("\n".join([*problems[:_SHOWN], *tail]))


def _check(
    raws: Iterable[FileRow], make: Callable[[str, FileRow, _Shared], T]
) -> tuple[list[T], list[str], list[str]]:
    """What is made of the good rows, what is wrong with the others, and the ids of all."""
    good: list[T] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    texts: _Shared = {}
    ids: list[str | None] = []
    numbered = True
    for number, raw in enumerate(raws, start=1):
        numbered &= raw.fields.get("id") is None
        try:
            if raw.problem and "id" not in raw.fields:
                ids.append(None)
                raise _BadRow(raw.problem)
            identity = _identity(raw, number)
            if identity in seen:
                raise _BadRow(f"the id {identity!r} was already used in {seen[identity]}")
            seen[identity] = raw.where
            ids.append(identity)
            if raw.problem:
                raise _BadRow(raw.problem)
            good.append(make(identity, raw, texts))
        except _BadRow as bad:
            problems.append(f"{raw.where}: {bad}.")
    if numbered:  # then no id was used twice, so there is one for each row
        return good, problems, list(map(str, range(1, len(ids) + 1)))
    return good, problems, [each for each in ids if each is not None]


def _identity(raw: FileRow, number: int) -> str:
    value = raw.fields.get("id")
    if value is None:
        return str(number)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(raw.fields, "id")


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise _BadRow(f"{name} is missing; the row has {', '.join(fields) or 'no keys'}")
    if not isinstance(value, str):
        raise _BadRow(f"{name} must be text, not {value!r:.60}")
    if not value.strip():
        raise _BadRow(f"{name} is empty")
    _require_unicode(name, value)
    return value


def _require_unicode(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        code = ord(value[error.start])
        if 0xDC80 <= code <= 0xDCFF:
            raise _BadRow(
                f"{name} holds the byte 0x{code - 0xDC00:02x}, which is not UTF-8"
            ) from None
        raise _BadRow(f"{name} holds half a surrogate pair (\\u{code:04x})") from None


def _row(identity: str, raw: FileRow, texts: _Shared) -> Row:
    question, context = _text(raw.fields, "question"), _text(raw.fields, "context")
    context = texts.setdefault(context, context)
    return Row(identity, question, context, _language(raw.fields))


def _language(fields: Mapping[str, object]) -> str:
    language = fields.get("language")
    return language if isinstance(language, str) else ""


def _example(identity: str, raw: FileRow, texts: _Shared) -> Example:
    fields = raw.fields
    context = _text(fields, "context")
    context = texts.setdefault(context, context)
    document = fields.get("document") or fields.get("title")
    if not isinstance(document, str):
        document = hashlib.sha256(context.encode()).hexdigest()[:16]
    return Example(
        id=identity,
        question=_text(fields, "question"),
        context=context,
        answers=_answers(fields, context),
        language=_language(fields) or UNKNOWN_LANGUAGE,
        document=document,
    )


def _answers(fields: Mapping[str, object], context: str) -> tuple[Answer, ...]:
    pairs: list[tuple[object, object]]
    answers = fields.get("answers")
    if isinstance(answers, Mapping):
        texts, starts = answers.get("text"), answers.get("answer_start")
        texts = texts if isinstance(texts, list) else [texts]
        starts = starts if isinstance(starts, list) else [starts]
        pairs = list(zip(texts, [*starts, *[None] * len(texts)], strict=False))
    elif isinstance(answers, list):
        items = [a if isinstance(a, Mapping) else {"text": a} for a in answers]
        pairs = [(a.get("text"), a.get("answer_start")) for a in items]
    elif answers is None and fields.get("answer_text") is not None:
        pairs = [(fields["answer_text"], fields.get("answer_start"))]
    else:
        raise _BadRow(
            "no answers to compare with: evaluate needs answers (SQuAD's form) or "
            "answer_text; use autoqa predict for rows without"
        )
    return tuple(_answer(text, start, context) for text, start in pairs)


def _answer(text: object, start: object, context: str) -> Answer:
    if not isinstance(text, str):
        raise _BadRow(f"an answer must be text, not {text!r:.60}")
    _require_unicode("an answer", text)
    try:
        place = int(str(start))
    except ValueError:
        place = -1
    if place < 0 or context[place : place + len(text)] != text:
        place = max(context.find(text), 0)
    return Answer(text, place)
