"""Parquet, Arrow, and the folders that ``Dataset.save_to_disk`` writes; pyarrow reads them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import accumulate, pairwise
from pathlib import Path
from typing import IO, Any

from autoqa.errors import DataError, MissingAssetError
from autoqa.reading.content import head_of, opened
from autoqa.reading.json_text import Items

PYARROW_MISSING = (
    "reading {} needs the package pyarrow, which is not installed; "
    "get it with: pip install 'autoqa[parquet]'"
)
PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
_BATCH = 2048
"""Rows of a Parquet file that are in memory at a time."""
_STATE, _SPLITS = "state.json", "dataset_dict.json"


def columnar_kind(head: bytes) -> str | None:
    """``"parquet"`` or ``"arrow"`` by a file's first bytes."""
    if head.startswith(PARQUET):
        return "parquet"
    return "arrow" if head.startswith((ARROW_FILE, ARROW_STREAM)) else None


def is_saved_dataset(folder: Path) -> bool:
    """Whether ``save_to_disk`` wrote a folder: a data set, or several splits of one."""
    return (folder / _STATE).is_file() or (folder / _SPLITS).is_file()


def missing_package(path: Path, container: str | None = None) -> str | None:
    """Says which package reading a file needs that is not installed.

    Args:
        path: A file that exists, or a folder.
        container: What it is, where that is known.
    """
    if find_spec("pyarrow") is not None:
        return None
    kind = container
    if kind is None:
        kind = "dataset" if path.is_dir() else columnar_kind(head_of(path))
    names = {"parquet": "Parquet", "arrow": "Arrow", "dataset": "Arrow"}
    return f"{path}: {PYARROW_MISSING.format(names[kind])}." if kind in names else None


def saved_splits(folder: Path) -> list[str]:
    """The splits of a folder that a ``DatasetDict`` was saved to; empty where it is none."""
    if (folder / _STATE).is_file() or not (folder / _SPLITS).is_file():
        return []
    splits = _json(folder / _SPLITS).get("splits")
    return [str(split) for split in splits] if isinstance(splits, list) else []


def read_parquet(path: Path) -> Items:
    """The rows of a Parquet file, each an object of its columns.

    Raises:
        MissingAssetError: pyarrow is not installed.
        DataError: The file is damaged.
    """
    yield from _numbered(parquet_objects(path))


def parquet_objects(
    path: Path, columns: Sequence[str] | None = None, *, batch: int = _BATCH
) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file as objects of its columns, a batch of them at a time in memory.

    Args:
        path: The file.
        columns: Which columns are read, or what stands in them (``document.title``); all if left
            out. Those that the file does not have are left out.
        batch: How many rows are in memory; fewer for rows of megabytes.

    Raises:
        MissingAssetError: pyarrow is not installed.
        DataError: The file is damaged.
    """
    with open_parquet(path) as (parquet, pyarrow):
        for each in parquet.iter_batches(batch, columns=columns):
            with readable_values(path, pyarrow):
                rows = _objects(each, pyarrow)
            yield from rows


@contextmanager
def open_parquet(path: Path) -> Iterator[tuple[Any, Any]]:
    """A Parquet file and the module pyarrow.

    Raises:
        MissingAssetError: pyarrow is not installed.
        DataError: The file is damaged, as is seen here or while it is read.
    """
    pyarrow = _pyarrow(path, "Parquet")
    from pyarrow.parquet import ParquetFile

    with opened(path) as file:
        try:
            yield ParquetFile(_source(pyarrow, path, file)), pyarrow
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged(path, "Parquet", error) from None


@contextmanager
def readable_values(path: Path, pyarrow: Any) -> Iterator[None]:
    """Says of values that are none of Python's in which file they are.

    Raises:
        DataError: A value cannot be read.
    """
    try:
        yield
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}: a value cannot be read, {_first_line(error)}.") from None


def read_arrow(path: Path) -> Items:
    """The rows of an Arrow file or stream, each an object of its columns.

    Raises:
        MissingAssetError: pyarrow is not installed.
        DataError: The file is damaged.
    """
    yield from _numbered(_arrow(path))


def read_saved_dataset(folder: Path) -> Items:
    """The rows of a folder of ``Dataset.save_to_disk``, in its order.

    Raises:
        MissingAssetError: pyarrow or a file of the folder is missing.
        DataError: The folder holds several splits, or is damaged.
    """
    splits = saved_splits(folder)
    if splits:
        raise DataError(
            f"{folder}: it holds the splits {', '.join(splits)}; name one of them, "
            f"such as {str(folder / splits[0])!r}."
        )
    state = _json(folder / _STATE)
    files = state.get("_data_files")
    names = [each.get("filename") for each in files if isinstance(each, dict)] if files else []
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError(
            f"{folder}: an old version of datasets saved it with its rows in another order than "
            "its files'; load it and save it again: "
            'python -c "from datasets import load_from_disk; '
            f"load_from_disk({str(folder)!r}).flatten_indices().save_to_disk("
            f'{str(folder.with_name(folder.name + "-flat"))!r})".'
        )
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        raise DataError(f"{folder / _STATE}: it names no data files; save the data set again.")
    yield from _numbered(row for name in names for row in _arrow(folder / str(name)))


def _numbered(rows: Iterator[Any]) -> Items:
    """Rows with their places; Arrow's texts are UTF-8, or cannot be read."""
    return ((number, row, False) for number, row in enumerate(rows))


def _arrow(path: Path) -> Iterator[Any]:
    pyarrow = _pyarrow(path, "Arrow")
    with opened(path) as file:
        stream = file.peek(4).startswith(ARROW_STREAM)
        source = _source(pyarrow, path, file)
        try:
            if stream:
                batches = iter(pyarrow.ipc.open_stream(source))
            else:
                reader = pyarrow.ipc.open_file(source)
                batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
            yield from _batches(batches, path, pyarrow)
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged(path, "Arrow", error) from None


def _batches(batches: Any, path: Path, pyarrow: Any) -> Iterator[Any]:
    for batch in batches:
        with readable_values(path, pyarrow):
            rows = _objects(batch, pyarrow)
        yield from rows


def _objects(batch: Any, pyarrow: Any) -> list[dict[str, Any]]:
    """The rows of a batch, made of its columns: several times faster than value by value."""
    names = batch.schema.names
    columns = [_values(column, pyarrow) for column in batch.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(array: Any, pyarrow: Any) -> list[Any]:
    """An array's values as Python's own."""
    kind = array.type
    values: list[Any]
    if pyarrow.types.is_struct(kind):
        names = [field.name for field in kind]
        fields = [_values(column, pyarrow) for column in array.flatten()]
        values = [dict(zip(names, each, strict=True)) for each in zip(*fields, strict=True)]
    elif pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        inner = _values(array.flatten(), pyarrow)
        ends = accumulate(array.value_lengths().fill_null(0).to_pylist(), initial=0)
        values = [inner[begin:end] for begin, end in pairwise(ends)]
    else:
        return array.to_pylist()  # type: ignore[no-any-return]
    if array.null_count:
        for place, is_valid in enumerate(array.is_valid().to_pylist()):
            if not is_valid:
                values[place] = None
    return values


def _source(pyarrow: Any, path: Path, file: IO[bytes]) -> Any:
    """The file itself where it is one, so that it is not held twice; what it unpacks to else."""
    return pyarrow.memory_map(str(path)) if _plain(path) else pyarrow.BufferReader(file.read())


def _plain(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith((PARQUET, ARROW_FILE[:4], ARROW_STREAM))


def _pyarrow(path: Path, kind: str) -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ImportError:
        raise MissingAssetError(f"{path}: {PYARROW_MISSING.format(kind)}.") from None
    return pyarrow


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read, {_first_line(error)}.") from None
    return content if isinstance(content, dict) else {}


def _damaged(path: Path, kind: str, error: BaseException) -> DataError:
    return DataError(
        f"{path}: not a readable {kind} file, {_first_line(error)}; fetch or write it again."
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no reason"
