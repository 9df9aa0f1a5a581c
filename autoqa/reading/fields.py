"""Rows that come as mappings with the Hugging Face ``squad`` features."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from autoqa.errors import DataError
from autoqa.reading.rows import RawRow

REQUIRED = ("id", "question", "context", "answers")


def row_from(raw: object, where: str) -> RawRow:
    """Reads ``id, question, context, answers`` and, where there are any, language and document.

    Args:
        raw: A decoded row. ``answers`` is ``{"text": [...], "answer_start": [...]}`` or a list of
            ``{"text": ..., "answer_start": ...}``; ``document`` or ``title`` names what the
            context was cut from.
        where: File and line, for messages.

    Raises:
        DataError: A field is missing or of another type.
    """
    if not isinstance(raw, Mapping):
        raise DataError(
            f"{where}: expected an object with {', '.join(REQUIRED)}, found {_type_name(raw)}."
        )
    context, question = raw.get("context"), raw.get("question")
    if not isinstance(context, str) or not isinstance(question, str):
        raise DataError(
            _field_problem(raw, "question" if isinstance(context, str) else "context", where)
        )
    return RawRow(
        where=where,
        id=identifier(raw, where),
        question=question,
        context=context,
        answers=answers_from(raw, where),
        language=_optional_text(raw, ("language", "lang"), where),
        document=_optional_text(raw, ("document", "title"), where),
    )


def identifier(raw: Mapping[str, Any], where: str) -> str:
    """The row's id; numbers count as ids too."""
    value = raw.get("id")
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise DataError(_field_problem(raw, "id", where, "text or a number"))


def answers_from(raw: Mapping[str, Any], where: str) -> tuple[tuple[str, int | None], ...]:
    """(text, start) of each reference of a row."""
    if raw.get("is_impossible") is True:
        return ()
    answers = raw.get("answers")
    if isinstance(answers, Mapping):
        texts, starts = answers.get("text"), answers.get("answer_start")
        if not isinstance(texts, list) or not isinstance(starts, list | None):
            raise DataError(f"{where}: answers needs lists text and answer_start.")
        if starts is None:
            starts = [None] * len(texts)
        if len(texts) != len(starts):
            raise DataError(
                f"{where}: answers has {len(texts)} text but {len(starts)} answer_start; "
                "give one offset for each text."
            )
        pairs: Iterable[tuple[object, object]] = zip(texts, starts, strict=True)
    elif isinstance(answers, list) and all(isinstance(answer, Mapping) for answer in answers):
        pairs = [(answer.get("text"), answer.get("answer_start")) for answer in answers]
    else:
        raise DataError(_field_problem(raw, "answers", where, "an object or a list of objects"))
    return tuple(_pair(text, start, where) for text, start in pairs)


def _pair(text: object, start: object, where: str) -> tuple[str, int | None]:
    if not isinstance(text, str):
        raise DataError(f"{where}: an answer's text must be text, found {_type_name(text)}.")
    if start is not None and (not isinstance(start, int) or isinstance(start, bool)):
        raise DataError(f"{where}: answer_start must be a whole number, found {start!r}.")
    return text, start


def _optional_text(raw: Mapping[str, Any], keys: tuple[str, ...], where: str) -> str:
    for key in keys:
        value = raw.get(key)
        if value is not None and value != "":
            if not isinstance(value, str):
                raise DataError(_field_problem(raw, key, where))
            return value
    return ""


def _field_problem(raw: Mapping[str, Any], key: str, where: str, expected: str = "text") -> str:
    if key in raw:
        return f"{where}: {key} must be {expected}, found {_type_name(raw[key])}."
    near = difflib.get_close_matches(key, [str(name) for name in raw], n=1)
    hint = f"; is {near[0]!r} meant?" if near else ""
    fields = ", ".join(str(name) for name in raw) or "nothing"
    return f"{where}: {key} is missing; the row has {fields}{hint}."


def _type_name(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "a boolean"}
    return names.get(type(value), f"{value!r}")
