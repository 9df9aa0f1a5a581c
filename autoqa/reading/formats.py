"""The file formats, each a function from a path to rows."""

import csv
import difflib
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from autoqa.errors import DataError, MissingAssetError
from autoqa.reading.fields import answers_from, identifier, row_from
from autoqa.reading.rows import RawRow

PYARROW_MISSING = (
    "reading Parquet needs the package pyarrow, which is not installed; "
    "get it with: pip install 'autoqa-sources[parquet]'"
)
CSV_COLUMNS = ("id", "context", "question", "answer_text")
EXTENSIONS = {
    ".json": "squad",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}

# Longest field that the csv module takes; its default is 131,072 characters, less than an article.
_LONGEST_FIELD = 2**31 - 1


def format_of(path: Path) -> str:
    """The format that a file's name ends in, ``.gz`` aside.

    Raises:
        DataError: The ending is none that is known.
    """
    name = path.name.lower().removesuffix(".gz")
    for ending, format_name in EXTENSIONS.items():
        if name.endswith(ending):
            return format_name
    raise DataError(
        f"{path}: its name does not say what it holds; "
        'set format to "squad", "jsonl", "csv" or "parquet".'
    )


def read_squad(path: Path) -> Iterator[RawRow]:
    """SQuAD 1.1 or 2.0 JSON: articles, paragraphs, questions."""
    text = _text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        hint = ""
        if error.msg == "Extra data" and error.lineno == 2:
            hint = '; one object per line? Then set format = "jsonl"'
        raise DataError(
            f"{path}:{error.lineno}: invalid JSON, {error.msg.lower()}{hint}."
        ) from None
    articles = _list(content, "data", f"{path}")
    for a, article in enumerate(articles):
        title = article.get("title") if isinstance(article, dict) else None
        document = title if isinstance(title, str) and title else f"{path.name}#{a}"
        for p, paragraph in enumerate(_list(article, "paragraphs", f"{path}: data[{a}]")):
            place = f"{path}: data[{a}].paragraphs[{p}]"
            questions = _list(paragraph, "qas", place)
            context = paragraph.get("context")
            if not isinstance(context, str):
                raise DataError(f"{place}: context must be text, found {context!r}.")
            for q, raw in enumerate(questions):
                yield _question(raw, context, document, f"{place}.qas[{q}]")


def _question(raw: Any, context: str, document: str, place: str) -> RawRow:
    if not isinstance(raw, dict):
        raise DataError(
            f"{place}: expected an object with id, question and answers, found {raw!r}."
        )
    question = raw.get("question")
    if not isinstance(question, str):
        raise DataError(f"{place}: question must be text, found {question!r}.")
    name = identifier(raw, place)
    place = f"{place} (id {name})"
    return RawRow(place, name, question, context, answers_from(raw, place), document=document)


def _list(raw: Any, key: str, place: str) -> list[Any]:
    value = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(value, list):
        raise DataError(
            f"{place}: expected an object with a list {key!r} as SQuAD JSON has it; "
            'for one object per line set format = "jsonl".'
        )
    return value


def read_lines(path: Path) -> Iterator[RawRow]:
    """JSON Lines with the Hugging Face ``squad`` features and an optional language."""
    # Not splitlines: U+2028 and its like may stand inside a JSON string.
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line or line.isspace():
            continue
        where = f"{path}:{number}"
        try:
            raw = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{where}: invalid JSON, {error.msg.lower()} at character {error.colno}."
            ) from None
        yield row_from(raw, where)


def read_csv(path: Path) -> Iterator[RawRow]:
    """The chaii columns: id, context, question, answer_text, answer_start, language."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    previous = csv.field_size_limit(_LONGEST_FIELD)
    try:
        header = _record(reader, path)
        if header is None:
            raise DataError(f"{path}: it is empty; expected columns {', '.join(CSV_COLUMNS)}.")
        columns = _columns(header, path)
        while True:
            line = reader.line_num + 1
            record = _record(reader, path)
            if record is None:
                return
            if record:
                yield _from_record(record, columns, len(header), f"{path}:{line}")
    finally:
        csv.field_size_limit(previous)


def _record(reader: Any, path: Path) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: invalid CSV, {error}.") from None


def _columns(header: list[str], path: Path) -> dict[str, int]:
    columns = {name.strip(): index for index, name in enumerate(header)}
    absent = [name for name in CSV_COLUMNS if name not in columns]
    if absent:
        near = difflib.get_close_matches(absent[0], columns, n=1)
        hint = f"; is {near[0]!r} meant?" if near else ""
        raise DataError(
            f"{path}:1: columns {', '.join(absent)} are missing; found {', '.join(columns)}{hint}."
        )
    return columns


def _from_record(record: list[str], columns: dict[str, int], width: int, where: str) -> RawRow:
    if len(record) != width:
        raise DataError(f"{where}: expected {width} fields as in the header, found {len(record)}.")

    def field(name: str) -> str:
        return record[columns[name]] if name in columns else ""

    if not field("id"):
        raise DataError(f"{where}: id is empty.")
    answers: tuple[tuple[str, int | None], ...] = ()
    if field("answer_text"):
        answers = ((field("answer_text"), _offset(field("answer_start"), where)),)
    return RawRow(
        where=where,
        id=field("id"),
        question=field("question"),
        context=field("context"),
        answers=answers,
        language=field("language"),
        document=field("document") or field("title"),
    )


def _offset(text: str, where: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    try:
        # A column that once held a gap comes back from spreadsheets and pandas as "35.0".
        return int(text.removesuffix(".0"))
    except ValueError:
        raise DataError(f"{where}: answer_start must be a whole number, found {text!r}.") from None


def read_parquet(path: Path) -> Iterator[RawRow]:
    """Parquet with the Hugging Face ``squad`` features and an optional language."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingAssetError(f"{path}: {PYARROW_MISSING}.") from None
    if not path.stat().st_size:
        raise DataError(f"{path}: it is empty.")
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file, {_first_line(error)}.") from None
    for number, raw in enumerate(table.to_pylist(), start=1):
        yield row_from(raw, f"{path}: row {number}")


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: damaged gzip file, {_first_line(error)}; fetch it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read, {error.strerror or error}.") from None
    if not data.strip():
        raise DataError(f"{path}: it is empty.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _not_utf8(path, data, error)


def _not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> NoReturn:
    # The decoder counts from behind the byte order mark.
    start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
    line = data.count(b"\n", 0, start) + 1
    raise DataError(
        f"{path}:{line}: invalid UTF-8, byte 0x{data[start]:02x} at offset {start}; "
        "save the file as UTF-8."
    ) from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no reason"


READERS: dict[str, Callable[[Path], Iterator[RawRow]]] = {
    "squad": read_squad,
    "jsonl": read_lines,
    "csv": read_csv,
    "parquet": read_parquet,
}


def read_rows(path: Path, format_name: str = "auto") -> Iterator[RawRow]:
    """The rows of a file, as they stand.

    Args:
        path: The file.
        format_name: A key of :data:`READERS`; ``"auto"`` goes by the extension, ``.gz`` aside.

    Raises:
        MissingAssetError: The package that reads it is not installed.
        DataError: It cannot be read, or holds no rows; says file and line.
    """
    chosen = format_of(path) if format_name == "auto" else format_name
    empty = True
    for row in READERS[chosen](path):
        empty = False
        yield row
    if empty:
        raise DataError(f"{path}: it holds no rows; leave it out, or give it some.")
