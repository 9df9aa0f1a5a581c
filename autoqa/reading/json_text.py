"""JSON documents and JSON Lines: the objects in them, with their places."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoqa.errors import DataError
from autoqa.reading.content import BYTE_ORDER_MARK, decoded, opened
from autoqa.reading.rows import Unusable

Items = Iterator[tuple[int, object, bool]]
"""Decoded objects, each with its line or its place in a list, and whether texts in it may hold
lone surrogates: bytes that are no UTF-8, or half a pair."""

_ID = re.compile(r'"id"\s*:\s*("[^"\\\x00-\x1f\x80-\U0010ffff]+"|[1-9]\d{0,99})(?=\s*[,}])')

_KEYS = ("paragraphs", "qas", "question", "context", "query", "document_plaintext", "text")
"""What an object has that stands alone in its file."""
_LISTS = frozenset({"data", "paragraphs", "qas"})
_ROW = frozenset({"question", "context", "qas"})
_SHOWN = 3


@dataclass(frozen=True)
class Document:
    """A JSON document.

    Attributes:
        value: What it holds.
        doubtful: Whether texts in it may hold lone surrogates.
    """

    value: Any
    doubtful: bool


def single_document(path: Path) -> Document | None:
    """The document of a text that begins as JSON; ``None`` where there is one on each line.

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
        text, clean = decoded(first)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            if _is_object(second) and first.strip() not in (b"{", b"["):
                return None
            file.seek(0)
            return _document(path, file.read())
    if not second:
        one_row = isinstance(value, Mapping) and not _LISTS & value.keys() and not _columns(value)
        one_row = one_row and not _grouped(value)
        return None if one_row else Document(value, not clean or _escaped(first))
    whole = value.get("data") if isinstance(value, Mapping) else value
    if isinstance(whole, list) and any(isinstance(each, Mapping) for each in whole):
        raise _second_document(path, line + 1)
    return None


def read_document(path: Path) -> Document:
    """A file's JSON document.

    Raises:
        DataError: It is none; says the line.
    """
    with opened(path) as file:
        return _document(path, file.read())


def _document(path: Path, data: bytes) -> Document:
    text, clean = decoded(data.removeprefix(BYTE_ORDER_MARK))
    try:
        return Document(json.loads(text), not clean or _escaped(data))
    except json.JSONDecodeError as error:
        if error.doc[error.pos : error.pos + 1] == "," and error.msg == "Extra data":
            raise DataError(
                f"{path}:{error.lineno}: a comma follows a whole JSON document; take the commas "
                "from the ends of lines, or put all of it between [ and ]."
            ) from None
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
        f"{path}:{line}: something follows where the JSON document has ended; a second one "
        "belongs into a file of its own."
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(decoded(line)[0]), Mapping)
    except (ValueError, RecursionError):
        return False


def json_lines(path: Path) -> Items:
    """The object of each line; what is none says why."""
    # By line feeds only: U+2028 and its like may stand inside a JSON string.
    with opened(path, wholly=True) as file:
        for number, raw in enumerate(file, start=1):
            line, clean = decoded(raw)
            if line.isspace():
                continue
            value: object
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                value = Unusable(_no_json(line, error), _id_in(line))
            except RecursionError:
                value = Unusable("invalid JSON, it is nested too deep.")
            except ValueError as error:  # as of a number with thousands of digits
                value = Unusable(f"invalid JSON, {_lower(str(error))}.")
            yield number, value, not clean or _escaped(raw)


def _id_in(line: str) -> str:
    """The id in a damaged line of JSON, where no escape or damage can be in it."""
    found = _ID.search(line)
    return found[1].strip('"') if found else ""


def _escaped(data: bytes) -> bool:
    """Whether JSON may spell half a pair of surrogates."""
    return b"\\" in data and b"\\u" in data


def _no_json(line: str, error: json.JSONDecodeError) -> str:
    if line.lstrip()[:1] not in ("{", "["):
        return f"expected a JSON object, as lines of JSON Lines are, found {line.strip()!r:.60}."
    if error.pos >= len(line.rstrip()):
        return "invalid JSON, the line ends within a value; write or fetch it again."
    return f"invalid JSON, {_lower(error.msg)} at character {error.colno}."


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def listed_in(path: Path, document: object, columns: Iterable[str]) -> tuple[str, list[Any]]:
    """What a document holds one of for each row, text or article, and the key of that list.

    Args:
        path: Where it is, for messages.
        document: The document.
        columns: What rows are looked through for, besides what is known.

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
        if any(key in document for key in (*_KEYS, *columns)):
            return "", [document]
        grouped = _grouped(document)
        if grouped is not None:
            what, rows = grouped
            raise DataError(f"{path}: it holds {what}: {_rewriting(rows, path)}")
        keys = ", ".join(map(str, document)) or "nothing"
        raise DataError(
            f'{path}: expected {{"data": [...]}} as SQuAD has it, a list of rows or one object a '
            f"line; the object has {keys}."
        )
    raise DataError(f"{path}: expected an object or a list, found {document!r:.60}.")


def _grouped(document: Mapping[str, object]) -> tuple[str, str] | None:
    """What it is that holds rows under keys, and Python that takes a list of rows from it."""
    values, names = list(document.values()), ", ".join(list(document)[:_SHOWN])
    loaded = "json.load(open(sys.argv[1]))"
    if values and all(isinstance(each, Mapping) and _ROW & each.keys() for each in values):
        return (
            f"rows by their ids ({names}), not a list of rows",
            f"[{{'id': k, **v}} for k, v in {loaded}.items()]",
        )
    if values and all(isinstance(each, list) and each for each in values):
        lists = [each for each in values if isinstance(each, list)]
        if all(isinstance(each[0], Mapping) and _ROW & each[0].keys() for each in lists):
            first = next(iter(document))
            return f"lists of rows by name ({names}), for {first}", f"{loaded}[{first!r}]"
    return None


def _rewriting(rows: str, path: Path) -> str:
    """A command that writes rows into a file of their own."""
    new = path.with_name("rows.json")
    return f'python -c "import json, sys; json.dump({rows}, sys.stdout)" {path} > {new}'


def _columns(document: Mapping[str, object]) -> bool:
    """Whether values stand by column and not by row; one row, too, may have several contexts."""
    by_column = isinstance(document.get("context"), Mapping | list)
    return (by_column and not isinstance(document.get("question"), str)) or (
        "columns" in document and isinstance(document.get("data"), list)
    )
