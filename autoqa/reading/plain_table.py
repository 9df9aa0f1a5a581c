"""Parquet files with the columns of SQuAD, read by columns: most published data are in such files.

Whatever is unusual in a row is left to :mod:`autoqa.reading.fields`, which reads it as an object.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from autoqa.reading.columnar import PARQUET, open_parquet, readable_values
from autoqa.reading.rows import RawRow

_TEXTS = ("id", "question", "context")
_DOCUMENT, _LANGUAGE = ("document", "title"), ("language", "lang")
_BATCH = 4096

RowReader = Callable[[Mapping[str, object], str, int], RawRow]
"""(object, its place, its number) to a row."""


def is_plain_table(path: Path) -> bool:
    """Whether a file is Parquet and has the columns of SQuAD, one row a question, and no others.

    A damaged file is none, so that those who read any file say what is wrong with it.
    """
    if not path.is_file():  # a pipe would wait for who writes into it
        return False
    try:
        with path.open("rb") as file:
            if file.read(len(PARQUET)) != PARQUET:
                return False
        import pyarrow
        from pyarrow.parquet import read_schema

        return _is_plain(read_schema(path), pyarrow)
    except (ImportError, OSError, ValueError):  # Arrow's errors are of these kinds
        return False


def _is_plain(schema: Any, pyarrow: Any) -> bool:
    names = schema.names
    if len(set(names)) < len(names) or not {*_TEXTS, "answers"} <= set(names):
        return False
    others = set(names) - {*_TEXTS, "answers"}
    if not others <= {*_DOCUMENT, *_LANGUAGE}:
        return False
    if others >= set(_DOCUMENT) or others >= set(_LANGUAGE):
        return False
    types = pyarrow.types
    if not all(types.is_string(schema.field(n).type) for n in {*_TEXTS, *others}):
        return False
    answers = schema.field("answers").type
    if not types.is_struct(answers) or {f.name for f in answers} != {"text", "answer_start"}:
        return False
    texts, starts = answers.field("text").type, answers.field("answer_start").type
    return bool(
        types.is_list(texts)
        and types.is_string(texts.value_type)
        and types.is_list(starts)
        and types.is_integer(starts.value_type)
    )


def plain_rows(path: Path, read: RowReader) -> Iterator[RawRow]:
    """The rows of a plain table, as ``read`` would make them of objects.

    Args:
        path: A file of which :func:`is_plain_table` is true.
        read: Makes rows of what is unusual, such as nulls and offsets of -1.

    Raises:
        DataError: The file is damaged.
    """
    number, file = 0, str(path)  # a path is slow to write
    with open_parquet(path) as (parquet, pyarrow):
        for batch in parquet.iter_batches(_BATCH):
            first = number
            with readable_values(path, pyarrow):
                columns = _columns(batch)
            for name, question, context, pairs, document, language in columns:
                number += 1
                where = f"{file}: row {number}"
                unusual = pairs is None or question is None or context is None
                if unusual or not name or name.isspace():
                    (record,) = batch.slice(number - first - 1, 1).to_pylist()
                    yield read(record, where, number)
                else:
                    yield RawRow(
                        where, name, question, context, pairs, language or "", document or ""
                    )


_Pairs = tuple[tuple[str, int], ...]


def _columns(batch: Any) -> Iterator[tuple[Any, Any, Any, Any, Any, Any]]:
    """Id, question, context, references, document and language of each row."""
    names = batch.schema.names
    nothing = [None] * len(batch)

    def one_of(pair: tuple[str, str]) -> list[Any]:
        name = next((name for name in pair if name in names), None)
        return nothing if name is None else batch.column(name).to_pylist()

    return zip(
        *(batch.column(name).to_pylist() for name in _TEXTS),
        _references(batch.column("answers")),
        one_of(_DOCUMENT),
        one_of(_LANGUAGE),
        strict=True,
    )


def _references(answers: Any) -> list[_Pairs | None]:
    """Each row's references; ``None`` where something about them is unusual."""
    by_name = dict(zip((field.name for field in answers.type), answers.flatten(), strict=True))
    arrays = by_name["text"], by_name["answer_start"]
    texts, starts = (array.flatten().to_pylist() for array in arrays)
    lengths, others = (array.value_lengths().to_pylist() for array in arrays)
    if lengths != others:  # where both say null, so does the length
        return [None] * len(answers)
    if lengths.count(1) == len(lengths):
        return [
            ((text, start),) if text and start is not None and start >= 0 else None
            for text, start in zip(texts, starts, strict=True)
        ]
    ends = accumulate((length or 0 for length in lengths), initial=0)
    return [
        None if length is None else _pairs(texts[begin:end], starts[begin:end])
        for length, (begin, end) in zip(lengths, pairwise(ends), strict=True)
    ]


def _pairs(texts: list[str | None], starts: list[int | None]) -> _Pairs | None:
    pairs: list[tuple[str, int]] = []
    for text, start in zip(texts, starts, strict=True):
        if not text or start is None or start < 0:
            return None
        pairs.append((text, start))
    return tuple(pairs)
