"""JSON documents and JSON Lines: the objects in them, with their places."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autoqa.errors import DataError
from autoqa.reading.content import decoded, opened
from autoqa.reading.rows import Unusable

Items = Iterator[tuple[int, object]]
"""Decoded objects, each with its line or its place in a list."""

_KEYS = ("data", "paragraphs", "qas", "question", "context")


def json_kind(path: Path) -> tuple[str, Any]:
    """Whether a text that begins as JSON is one document or has one on each line.

    Returns:
        ``"jsonl"`` and ``None``, or ``"json"`` and the document.

    Raises:
        DataError: It is neither; says the line.
    """
    with opened(path) as file:
        first = b""
        line = 0
        while not first.strip():
            line += 1
            first = file.readline()
        second = b""
        while not second.strip():
            second = file.readline()
            if not second:
                break
        try:
            value = json.loads(decoded(first))
        except (ValueError, RecursionError):
            if _is_object(second) and first.strip() not in (b"{", b"["):
                return "jsonl", None
            file.seek(0)
            return "json", _document(path, file.read())
    if not second:
        single = isinstance(value, Mapping) and "data" not in value and not _columns(value)
        return ("jsonl", None) if single and _one_row(value) else ("json", value)
    if isinstance(value, Mapping) and isinstance(value.get("data"), list):
        raise _second_document(path, line + 1)
    return "jsonl", None


def read_document(path: Path) -> Any:
    """A file's JSON document.

    Raises:
        DataError: It is none; says the line.
    """
    with opened(path) as file:
        return _document(path, file.read())


def _document(path: Path, data: bytes) -> Any:
    try:
        return json.loads(decoded(data.removeprefix(b"\xef\xbb\xbf")))
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise _second_document(path, error.lineno) from None
        whole = error.doc.rstrip()
        if error.pos >= len(whole):
            line = whole.count("\n") + 1
            raise DataError(
                f"{path}:{line}: invalid JSON, it ends within a value; write or fetch it again."
            ) from None
        raise DataError(
            f"{path}:{error.lineno}: invalid JSON, {_lower(error.msg)} at character {error.colno}."
        ) from None
    except RecursionError:
        raise DataError(f"{path}: invalid JSON, it is nested too deep.") from None
    except ValueError as error:  # as of a number with thousands of digits
        raise DataError(f"{path}: invalid JSON, {_lower(str(error))}.") from None


def _second_document(path: Path, line: int) -> DataError:
    return DataError(
        f"{path}:{line}: a second JSON document begins where the first has ended; "
        "put them into files of their own, or write one row a line."
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(decoded(line)), Mapping)
    except (ValueError, RecursionError):
        return False


def _one_row(value: Mapping[str, object]) -> bool:
    return "paragraphs" not in value and "qas" not in value


def json_lines(path: Path) -> Items:
    """The object of each line; what is none says why."""
    # By line feeds only: U+2028 and its like may stand inside a JSON string.
    with opened(path) as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode()
            except UnicodeDecodeError:
                line = decoded(raw)
            if line.isspace():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                yield number, Unusable(_no_json(line, error))
            except RecursionError:
                yield number, Unusable("invalid JSON, it is nested too deep.")
            except ValueError as error:  # as of a number with thousands of digits
                yield number, Unusable(f"invalid JSON, {_lower(str(error))}.")


def _no_json(line: str, error: json.JSONDecodeError) -> str:
    if line.lstrip()[:1] not in ("{", "["):
        return f"expected a JSON object, as lines of JSON Lines are, found {line.strip()!r:.60}."
    return f"invalid JSON, {_lower(error.msg)} at character {error.colno}."


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def items_of(path: Path, document: object) -> tuple[str, list[Any]]:
    """What a document holds one of for each row, text or article, and the key of that list.

    Raises:
        DataError: It holds no such list.
    """
    if isinstance(document, list):
        return "", document
    if isinstance(document, Mapping):
        if isinstance(document.get("data"), list):
            return "data", document["data"]
        if _columns(document):
            raise DataError(
                f"{path}: it holds columns, not rows; pandas writes rows with "
                "to_json(..., orient='records', lines=True)."
            )
        if any(key in document for key in _KEYS[1:]):
            return "", [document]
        keys = ", ".join(map(str, document)) or "nothing"
        raise DataError(
            f'{path}: expected {{"data": [...]}} as SQuAD has it, a list of rows or one object a '
            f"line; the object has {keys}."
        )
    raise DataError(f"{path}: expected an object or a list, found {document!r:.60}.")


def _columns(document: Mapping[str, object]) -> bool:
    """Whether values stand by column and not by row."""
    return isinstance(document.get("context"), Mapping | list) or (
        "columns" in document and isinstance(document.get("data"), list)
    )
