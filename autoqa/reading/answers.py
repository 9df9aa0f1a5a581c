"""Files of answers: SQuAD's ``{id: text}``, or rows with an id and an answer."""

import json
from collections.abc import Mapping
from pathlib import Path

from autoqa.errors import DataError
from autoqa.reading.columns import SYNONYMS, Columns
from autoqa.reading.containers import objects_in
from autoqa.reading.content import decoded, head_of, is_unicode, opened
from autoqa.reading.references import is_missing, plain, type_name
from autoqa.reading.rows import Unusable

_KEYS = ("answer", *SYNONYMS["answer"])


def read_answers(path: Path) -> dict[str, str]:
    """The answers of a file by the id of the question, in the file's order.

    Args:
        path: A JSON object of id to text, as the scripts of SQuAD take it; or JSON, JSON Lines or
            CSV with ``id`` and ``answer``, as ``autoqa predict`` writes them. What is null or
            missing there is the empty text.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read, an id is repeated, or an answer is no text.
    """
    head = head_of(path)
    pairs = _document(path) if head.lstrip().startswith(b"{") else None
    answers: dict[str, str] = {}
    places: dict[str, str] = {}
    for name, text, where in _rows(path) if pairs is None else _mapping(path, pairs):
        if name in answers:
            raise DataError(f"{where}: the id {name!r} was already answered in {places[name]}.")
        if not is_unicode(name + text):
            raise DataError(f"{where}: the answer to {name!r} holds bytes that are not UTF-8.")
        answers[name], places[name] = text, where
    if not answers:
        raise DataError(f"{path}: it holds no answers.")
    return answers


class _Pairs(list[tuple[str, object]]):
    """A JSON object with every key that it has, the repeated ones too."""


def _document(path: Path) -> _Pairs | None:
    """The object of ids to texts that a file is; ``None`` where it holds rows."""
    with opened(path, wholly=True) as file:
        text, _ = decoded(file.read())
    try:
        value = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None  # JSON Lines, or damaged: whoever reads rows says where
    keys = {key for key, _ in value}
    is_row = "id" in keys and not keys.isdisjoint(_KEYS)
    lists_rows = any(key == "data" and isinstance(each, list) for key, each in value)
    return None if is_row or lists_rows else value


def _mapping(path: Path, pairs: _Pairs) -> list[tuple[str, str, str]]:
    found = []
    for number, (name, value) in enumerate(pairs, start=1):
        where = f"{path}: entry {number}"
        shown = dict(value) if isinstance(value, _Pairs) else value
        found.append((name, _text(shown, name, where), where))
    return found


def _rows(path: Path) -> list[tuple[str, str, str]]:
    objects = objects_in(path, Columns({}, needed=("id", "answer")))
    lines = objects.container in ("jsonl", "csv", "tsv")
    found = []
    for place, record, _ in objects.items:
        where = f"{path}:{place}" if lines else f"{path}: row {place + 1}"
        if isinstance(record, Unusable):
            raise DataError(f"{where}: {record.problem}")
        if not isinstance(record, Mapping):
            raise DataError(
                f"{where}: expected an object with id and answer, found {type_name(record)}."
            )
        name = plain(record.get("id"))
        key = next((key for key in _KEYS if key in record), None)
        if key is None or not isinstance(name, str | int) or isinstance(name, bool):
            lacking = "answer" if key is None else "id"
            fields = ", ".join(map(str, record)) or "nothing"
            raise DataError(f"{where}: {lacking} is missing; the row has {fields}.")
        found.append((str(name), _text(record[key], str(name), where), where))
    return found


def _text(value: object, name: str, where: str) -> str:
    if isinstance(value, str):
        return value
    if is_missing(plain(value)):
        return ""
    raise DataError(f"{where}: the answer to {name!r} must be text, found {type_name(value)}.")
