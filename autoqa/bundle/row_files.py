"""Rows of CSV, JSON Lines and SQuAD JSON files with their line numbers; values are not checked."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from autoqa.errors import DataError

_ID = re.compile(rb'"id"\s*:\s*("[^"\\\x00-\x1f\x80-\xff]+"|[1-9]\d{0,99})(?=\s*[,}])')
"""An id that no escape or damage can be in."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some programs put in front of UTF-8."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row before it is checked.

    Attributes:
        where: ``line 7``, where it begins; ``row 7`` in SQuAD JSON and lists, whose lines are lost.
        fields: Columns or keys.
        problem: Why the row cannot be read; empty where it can. At most its id is in ``fields``.
    """

    where: str
    fields: Mapping[str, object]
    problem: str = ""


def parse(path: Path, columns: tuple[str, ...]) -> Iterator[FileRow]:
    """Yields the rows of a file.

    Args:
        path: ``.csv``, ``.jsonl`` (also ``.ndjson``) or ``.json``, each also with ``.gz``.
        columns: Columns that a CSV file's header must have.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    suffixes = [s.lower() for s in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if packed else suffixes)[-1:]
    if kind == [".csv"]:
        return _readable(path, _csv(path, packed, columns))
    if kind in ([".jsonl"], [".ndjson"]):
        return _readable(path, _json_lines(path, packed))
    if kind == [".json"]:
        return _readable(path, _json(path, packed))
    raise DataError(
        f"{path}: cannot tell the format from the name; it must end in .csv, .jsonl or .json "
        "(.gz may follow)."
    )


def _readable(path: Path, rows: Iterator[FileRow]) -> Iterator[FileRow]:
    """The rows; what goes wrong with the file itself becomes a sentence, wherever it is noticed."""
    try:
        yield from rows
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def _open(path: Path, packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit of 131,072 characters is shorter than some articles."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv(path: Path, packed: bool, columns: tuple[str, ...]) -> Iterator[FileRow]:
    # Bytes that are not UTF-8 become lone surrogates here and are named with their row later.
    with (
        _open(path, packed) as file,
        io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="") as text,
    ):
        lines: list[str] = []
        reader = csv.reader(_remembered(text, lines), strict=True)
        header = _csv_header(path, reader, columns)
        line = reader.line_num + 1
        while True:
            lines.clear()
            try:
                with _long_fields():
                    values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                known = _first_field(header, lines[0].split(","))
                yield FileRow(f"line {line}", known, f"this is no CSV: {error}")
            else:
                if values and len(values) != len(header):
                    counts = f"{len(values)} fields, but the header has {len(header)}"
                    problem = f"the row has {counts}; quote fields that hold commas"
                    yield FileRow(f"line {line}", _first_field(header, values), problem)
                elif values:
                    yield FileRow(f"line {line}", dict(zip(header, values, strict=True)))
            line = reader.line_num + 1


def _remembered(text: Iterable[str], lines: list[str]) -> Iterator[str]:
    """The lines of a text, which are also added to a list."""
    for line in text:
        lines.append(line)
        yield line


def _first_field(header: list[str], values: list[str]) -> dict[str, object]:
    """The id of a row that is damaged further on, where ids come first."""
    first = values[0].strip()
    return {"id": first} if header[0] == "id" and first and '"' not in first else {}


def _csv_header(path: Path, reader: Iterator[list[str]], columns: tuple[str, ...]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise DataError(f"{path}:1: this is no CSV: {error}.") from error
    names = ", ".join(header) or "nothing"
    if not names.isascii() and not _is_unicode(names):
        raise DataError(f"{path}:1: the header is not UTF-8: save the file as UTF-8.")
    for name in columns:
        if name not in header:
            raise DataError(f"{path}:1: no column {name!r}; the header has {names}.")
    for name in header:
        if header.count(name) > 1 and name in (*columns, "id"):
            raise DataError(f"{path}:1: column {name!r} appears more than once in {names}.")
    return header


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_lines(path: Path, packed: bool) -> Iterator[FileRow]:
    # Bytes, not text: U+2028 and the like may stand inside a JSON string.
    with _open(path, packed) as file:
        for line, raw in enumerate(file, start=1):
            content = raw.removeprefix(_BYTE_ORDER_MARK) if line == 1 else raw
            if not content.strip():
                continue
            try:
                fields = json.loads(content.decode())
            except UnicodeDecodeError as error:
                byte = content[error.start]
                yield FileRow(f"line {line}", _id_in(content), f"byte 0x{byte:02x} is not UTF-8")
            except (ValueError, RecursionError) as error:
                yield FileRow(f"line {line}", _id_in(content), f"this is no JSON: {error}")
            else:
                yield json_row(f"line {line}", fields)


def _id_in(line: bytes) -> dict[str, object]:
    """The id in a damaged line of JSON."""
    found = _ID.search(line)
    return {"id": json.loads(found[1])} if found else {}


def json_row(where: str, fields: object) -> FileRow:
    """A row of JSON, which should be an object."""
    if isinstance(fields, dict):
        return FileRow(where, fields)
    return FileRow(where, {}, f"a row must be a JSON object, not {fields!r:.60}")


def _json(path: Path, packed: bool) -> Iterator[FileRow]:
    with _open(path, packed) as file:
        data = file.read().removeprefix(_BYTE_ORDER_MARK)
    try:
        # In a text, a byte that is not UTF-8 becomes a lone surrogate, which is named with its row.
        document = json.loads(data.decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}:{error.lineno}: this is no JSON: {error.msg} (column {error.colno}); "
            "a file with one JSON object a line must end in .jsonl."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is no JSON: {error}.") from error
    del data
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        yield from _squad(path, document["data"])
        return
    if isinstance(document, list):
        yield from (
            json_row(f"row {number}", item) for number, item in enumerate(document, start=1)
        )
        return
    raise DataError(
        f'{path}: neither SQuAD\'s form ({{"data": [{{"paragraphs": ...}}]}}) nor a list of rows.'
    )


def _squad(path: Path, articles: list[object]) -> Iterator[FileRow]:
    number = 0
    for a, article in enumerate(articles):
        for p, paragraph in enumerate(_list_of(path, article, "paragraphs", f"data[{a}]")):
            where = f"data[{a}].paragraphs[{p}]"
            for question in _list_of(path, paragraph, "qas", where):
                number += 1
                if not isinstance(question, dict):
                    yield json_row(f"row {number}", question)
                    continue
                outer = {"title": _key(article, "title"), "context": _key(paragraph, "context")}
                yield FileRow(
                    f"row {number}", {k: v for k, v in outer.items() if v is not None} | question
                )


def _key(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _list_of(path: Path, value: object, key: str, where: str) -> list[object]:
    items = _key(value, key)
    if not isinstance(items, list):
        raise DataError(f"{path}: {where} has no list {key!r}, as SQuAD's form demands.")
    return items
