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
            with readable_values(path, pyarrow):
                columns = _columns(batch)
            for values in columns:
                name, question, context, answers, document, language = values
                number += 1
                where = f"{file}: row {number}"
                pairs = _pairs(answers)
                unusual = pairs is None or question is None or context is None
                if unusual or not name or name.isspace():
                    yield read(_object(values, batch.schema.names), where, number)
                else:
                    yield RawRow(
                        where, name, question, context, pairs or (), language or "", document or ""
                    )


_Answers = tuple[list[str | None], list[int | None]] | None


def _columns(batch: Any) -> Iterator[tuple[Any, Any, Any, _Answers, Any, Any]]:
    """Id, question, context, answers, document and language of each row."""
    names = batch.schema.names
    nothing = [None] * len(batch)

    def one_of(pair: tuple[str, str]) -> list[Any]:
        name = next((name for name in pair if name in names), None)
        return nothing if name is None else batch.column(name).to_pylist()

    answers = batch.column("answers")
    valid = answers.is_valid().to_pylist()
    texts, starts = (_lists(answers, name) for name in ("text", "answer_start"))
    both: list[_Answers] = [
        (text, start) if is_valid and text is not None and start is not None else None
        for text, start, is_valid in zip(texts, starts, valid, strict=True)
    ]
    return zip(
        *(batch.column(name).to_pylist() for name in _TEXTS),
        both,
        one_of(_DOCUMENT),
        one_of(_LANGUAGE),
        strict=True,
    )


def _lists(answers: Any, name: str) -> list[list[Any] | None]:
    array = answers.field(name)
    values = array.flatten().to_pylist()
    ends = accumulate(array.value_lengths().fill_null(0).to_pylist(), initial=0)
    lists: list[list[Any] | None] = [values[begin:end] for begin, end in pairwise(ends)]
    if array.null_count:
        for place, is_valid in enumerate(array.is_valid().to_pylist()):
            if not is_valid:
                lists[place] = None
    return lists


def _pairs(answers: _Answers) -> tuple[tuple[str, int], ...] | None:
    """References that say all there is to say; ``None`` where something about them is unusual."""
    if answers is None:
        return None
    texts, starts = answers
    if len(texts) != len(starts):
        return None
    for text, start in zip(texts, starts, strict=True):
        if not text or start is None or start < 0:
            return None
    return tuple(zip(texts, starts, strict=True))  # type: ignore[arg-type]


def _object(values: tuple[Any, ...], names: list[str]) -> dict[str, object]:
    """The row as an object with its file's own columns, in its order."""
    name, question, context, answers, document, language = values
    spelt = None if answers is None else {"text": answers[0], "answer_start": answers[1]}
    known = {"id": name, "question": question, "context": context, "answers": spelt}
    known |= dict.fromkeys(_DOCUMENT, document) | dict.fromkeys(_LANGUAGE, language)
    return {key: known[key] for key in names}
