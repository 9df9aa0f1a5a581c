"""CSV and its kin: fields between commas, semicolons, tabs or bars."""

import csv
import difflib
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from autoqa.errors import DataError
from autoqa.reading.columns import SYNONYMS, Columns, missing_column
from autoqa.reading.content import HEAD, decoded, opened
from autoqa.reading.json_text import Items
from autoqa.reading.rows import Unusable

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
KNOWN = ("id", "question", "context", "text", "answers", "answer_text", "answer_start", "answer",
         "answers.text", "answers.answer_start", "language", "title", "document",
         "is_impossible")  # fmt: skip
_SAMPLE = 10
"""Records whose number of fields speaks for or against a delimiter."""

_WHOLE = 1 << 25
"""Bytes up to which a file is read at once."""


def delimiter_of(path: Path, columns: Columns) -> str:
    """What stands between the fields of a file.

    The header decides: under the right delimiter it has the names that are looked for. Where that
    leaves several, the one that most of the first records have as often as the header.
    """
    with opened(path) as file:
        head, _ = decoded(file.read(HEAD))
    whole = len(head) < HEAD
    wanted = {*KNOWN, *columns, *(column.partition(".")[0] for column in columns)}
    best: tuple[int, float, int] = (0, 0.0, 0)
    chosen = ","
    for delimiter in DELIMITERS:
        with _long_fields():
            try:
                records = list(
                    itertools.islice(
                        csv.reader(
                            io.StringIO(_from_header(head), newline=""), delimiter=delimiter
                        ),
                        _SAMPLE + 1,
                    )
                )
            except csv.Error:
                continue
        header = [name.strip() for name in records[0]] if records else []
        others = [record for record in (records[1:] if whole else records[1:-1]) if record]
        alike = sum(len(record) == len(header) for record in others) / max(1, len(others))
        merit = (len(wanted.intersection(header)), alike, len(header))
        if merit > best:
            best, chosen = merit, delimiter
        if alike == 1 and columns.needed and not _absent(header, columns):
            return delimiter
    return chosen


def read_delimited(path: Path, delimiter: str, columns: Columns) -> Items:
    """An object for each record, by its first line; one of another length says so.

    Raises:
        DataError: The header lacks a column, or has one twice.
    """
    quoting = _quoting(path, delimiter)
    with _text_of(path) as (text, doubtful):
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
        header = _header(path, reader, columns)
        width, wrong = len(header), ""
        while True:
            line = lines.begin_record()
            before = csv.field_size_limit(sys.maxsize)
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                values, wrong = [], f"invalid CSV, {_said(error)}."
            finally:
                csv.field_size_limit(before)
            if len(values) == width:
                yield line, dict(zip(header, values, strict=True)), doubtful
            elif values or wrong:
                problem = wrong or _uneven(len(values), width, delimiter)
                start = lines.record[0].split(delimiter)
                lines.resume(lambda text: _fields(text, delimiter, quoting) == width)
                yield line, Unusable(problem, _id_in(header, values or start)), False
            wrong = ""


class _Lines(Iterator[str]):
    """Lines of a text, which can be read again: a quote without an end swallows good records.

    Attributes:
        record: The lines since the last record began.
    """

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._again: list[str] = []
        self._read = 0
        self.record: list[str] = []

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._text)
        self._read += 1
        self.record.append(line)
        return line

    def begin_record(self) -> int:
        """Forgets the lines of the last record; gives the number of the next line."""
        self.record = []
        return self._read + 1

    def resume(self, whole: Callable[[str], bool]) -> None:
        """Goes back to the first line after the record's first that is a whole record."""
        for number, line in enumerate(self.record[1:], start=1):
            if whole(line):
                self._again.extend(reversed(self.record[number:]))
                self._read -= len(self.record) - number
                return


def _fields(line: str, delimiter: str, quoting: Literal[0, 3]) -> int:
    """How many fields a line has that is a record; 0 where it is none."""
    try:
        with _long_fields():
            records = list(csv.reader([line], delimiter=delimiter, quoting=quoting, strict=True))
    except csv.Error:
        return 0
    return len(records[0]) if records else 0


@contextmanager
def _text_of(path: Path) -> Iterator[tuple[io.TextIOBase, bool]]:
    """A file's text, and whether bytes in it may be no UTF-8: known of files that fit memory."""
    with opened(path, wholly=True) as file:
        data = file.read(_WHOLE)
        if len(data) < _WHOLE:
            text, clean = decoded(data)
            del data
            yield io.StringIO(text, newline=""), not clean
            return
    with (
        opened(path) as file,
        io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="") as stream,
    ):
        yield stream, True


def _id_in(header: list[str], values: list[str]) -> str:
    """The id of a record that is damaged further on, where ids come first."""
    first = values[0].strip() if header[0] == "id" else ""
    return "" if '"' in first else first


def _said(error: csv.Error) -> str:
    message = str(error)
    if message == "unexpected end of data":
        message = "a field begins with a quote that has no end"
    return f"{message}; a field with quotes stands between quotes, each of its own written twice"


def _uneven(found: int, width: int, delimiter: str) -> str:
    hint = f"; fields that hold {DELIMITERS.get(delimiter, repr(delimiter))} need quotes"
    return (
        f"expected {width} fields as in the header, found {found}{hint if found > width else ''}."
    )


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module's limit of 131,072 characters is shorter than some articles."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _from_header(text: str) -> str:
    """The text without Excel's line that names the delimiter (``sep=;``)."""
    return text.partition("\n")[2] if text[:4].lower() == "sep=" else text


def _quoting(path: Path, delimiter: str) -> Literal[0, 3]:
    """Whether quotes quote: in many files with tabs they are letters like any other."""
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    with opened(path) as file:
        text = _from_header(decoded(file.read())[0])
    if '"' not in text:
        return csv.QUOTE_MINIMAL
    with _long_fields():
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
            if len({len(record) for record in reader if record}) == 1:
                return csv.QUOTE_MINIMAL
        except csv.Error:
            pass
    tabs = {line.count("\t") for line in text.splitlines() if line.strip("\r\n")}
    return csv.QUOTE_NONE if len(tabs) == 1 else csv.QUOTE_MINIMAL


def _header(path: Path, reader: Iterator[list[str]], columns: Columns) -> list[str]:
    try:
        with _long_fields():
            header = next((record for record in reader if record), [])
            if len(header) <= 2 and header and header[0][:4].lower() == "sep=":
                header = next(reader, [])
    except csv.Error as error:
        raise DataError(f"{path}:1: invalid CSV, {_said(error)}.") from None
    header = [name.strip() for name in header]
    if not header:
        raise DataError(f"{path}: it is empty; expected columns {' and '.join(columns.needed)}.")
    for name in header:
        if name and header.count(name) > 1 and name in (*KNOWN, *columns):
            raise DataError(f"{path}:1: column {name!r} appears more than once.")
    absent = _absent(header, columns)
    if len(absent) == len(columns.needed) and len(header) == 1:
        raise DataError(
            f"{path}: neither JSON nor a table with columns {' and '.join(columns.needed)}; it "
            f"begins with {header[0]!r:.60}."
        )
    if absent:
        raise DataError(f"{path}:1: {_missing(absent, header, columns)}")
    return header


def _absent(header: list[str], columns: Columns) -> list[str]:
    return [name for name in columns.needed if not _has(header, name, columns)]


def _has(header: list[str], field: str, columns: Columns) -> bool:
    column = columns.column_of(field)
    if column is not None:
        return column in header or column.partition(".")[0] in header
    return any(name in header for name in (field, *SYNONYMS.get(field, ())))


def _missing(absent: list[str], header: list[str], columns: Columns) -> str:
    found = ", ".join(header)[:200]
    column = columns.column_of(absent[0])
    if column is not None:
        return missing_column(absent[0], column, dict.fromkeys(header))
    near = difflib.get_close_matches(absent[0], header, n=1)
    hint = f"; is {near[0]!r} meant?" if near else ""
    verb = "is" if len(absent) == 1 else "are"
    names = "column" if len(absent) == 1 else "columns"
    if "answer" in columns.needed:  # of files of answers columns cannot be named
        return f"{names} {' and '.join(absent)} {verb} missing; found {found!r}{hint or '.'}"
    return (
        f"{names} {' and '.join(absent)} {verb} missing; found {found!r}{hint or ';'} "
        f'where it has another name say columns = {{ {absent[0]} = "..." }}, on the command line '
        f"--column {absent[0]}=..."
    )
