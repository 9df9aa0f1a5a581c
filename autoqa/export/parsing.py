"""Files of rows as they are written: CSV, JSON Lines, SQuAD JSON; lines counted, nothing judged."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoqa.errors import DataError


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row before it is checked.

    Attributes:
        where: ``line 7``, where it begins; ``row 7`` in SQuAD JSON and lists, whose lines are lost.
        fields: Columns or keys.
        problem: Why the row cannot be read at all; empty where it can.
    """

    where: str
    fields: Mapping[str, object]
    problem: str = ""


def parse(path: Path, columns: tuple[str, ...]) -> Iterator[RawRow]:
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
    data = _bytes(path, packed)
    if kind == [".csv"]:
        return _csv(path, data, columns)
    if kind in ([".jsonl"], [".ndjson"]):
        return _json_lines(data)
    if kind == [".json"]:
        return _json(path, data)
    raise DataError(
        f"{path}: cannot tell the format from the name; it must end in .csv, .jsonl or .json "
        "(.gz may follow)."
    )


def _bytes(path: Path, packed: bool) -> bytes:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if packed else data
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.") from None
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    return data.removeprefix(b"\xef\xbb\xbf")


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit of 131,072 characters is shorter than some articles."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv(path: Path, data: bytes, columns: tuple[str, ...]) -> Iterator[RawRow]:
    # Bytes that are not UTF-8 become lone surrogates here and are named with their row later.
    text = data.decode("utf-8", "surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = _csv_header(path, reader, columns)
    line = reader.line_num + 1
    while True:
        try:
            with _long_fields():
                values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RawRow(f"line {line}", {}, f"this is no CSV: {error}")
        else:
            if values and len(values) != len(header):
                counts = f"{len(values)} fields, but the header has {len(header)}"
                yield RawRow(
                    f"line {line}", {}, f"the row has {counts}; quote fields that hold commas"
                )
            elif values:
                yield RawRow(f"line {line}", dict(zip(header, values, strict=True)))
        line = reader.line_num + 1


def _csv_header(path: Path, reader: Iterator[list[str]], columns: tuple[str, ...]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise DataError(f"{path}:1: this is no CSV: {error}.") from error
    found = ", ".join(header) or "nothing"
    for name in columns:
        if name not in header:
            raise DataError(f"{path}:1: no column {name!r}; the header has {found}.")
    for name in header:
        if header.count(name) > 1 and name in (*columns, "id"):
            raise DataError(f"{path}:1: column {name!r} appears more than once in {found}.")
    return header


def _json_lines(data: bytes) -> Iterator[RawRow]:
    # Not splitlines(): U+2028 and the like may stand inside a JSON string.
    for line, raw in enumerate(data.split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw.decode())
        except UnicodeDecodeError as error:
            yield RawRow(f"line {line}", {}, f"byte 0x{raw[error.start]:02x} is not UTF-8")
        except (ValueError, RecursionError) as error:
            yield RawRow(f"line {line}", {}, f"this is no JSON: {error}")
        else:
            yield _object(f"line {line}", fields)


def _object(where: str, fields: object) -> RawRow:
    if isinstance(fields, dict):
        return RawRow(where, fields)
    return RawRow(where, {}, f"a row must be a JSON object, not {fields!r:.60}")


def _json(path: Path, data: bytes) -> Iterator[RawRow]:
    try:
        document = json.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}:{error.lineno}: this is no JSON: {error.msg} (column {error.colno}); "
            "a file with one JSON object a line must end in .jsonl."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: this is no JSON: {error}.") from error
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        return _squad(path, document["data"])
    if isinstance(document, list):
        return (_object(f"row {number}", item) for number, item in enumerate(document, start=1))
    raise DataError(
        f'{path}: neither SQuAD\'s form ({{"data": [{{"paragraphs": ...}}]}}) nor a list of rows.'
    )


def _squad(path: Path, articles: list[object]) -> Iterator[RawRow]:
    number = 0
    for a, article in enumerate(articles):
        for p, paragraph in enumerate(_list_of(path, article, "paragraphs", f"data[{a}]")):
            where = f"data[{a}].paragraphs[{p}]"
            for question in _list_of(path, paragraph, "qas", where):
                number += 1
                if not isinstance(question, dict):
                    yield _object(f"row {number}", question)
                    continue
                outer = {"title": _key(article, "title"), "context": _key(paragraph, "context")}
                yield RawRow(
                    f"row {number}", {k: v for k, v in outer.items() if v is not None} | question
                )


def _key(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _list_of(path: Path, value: object, key: str, where: str) -> list[object]:
    items = _key(value, key)
    if not isinstance(items, list):
        raise DataError(f"{path}: {where} has no list {key!r}, as SQuAD's form demands.")
    return items
