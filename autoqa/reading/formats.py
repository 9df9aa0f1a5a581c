"""The formats of files: told apart by what is in a file, and read."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autoqa.errors import ConfigError, DataError, did_you_mean
from autoqa.reading import columnar
from autoqa.reading.columns import Columns, missing_column
from autoqa.reading.containers import FileObjects, objects_in
from autoqa.reading.content import encoding_hint
from autoqa.reading.fields import RowMaker
from autoqa.reading.json_text import Items
from autoqa.reading.layouts import LAYOUTS, ROWS, RecordLayout, layout_of, misfit
from autoqa.reading.plain_table import is_plain_table, plain_rows
from autoqa.reading.rows import ContextNeed, FileObject, RawRow, Unusable


@dataclass(frozen=True)
class FileFormat:
    """A row of the table of formats.

    Attributes:
        writers: Who writes it.
        container: What holds the objects: ``jsonl``, ``json``, ``csv``, ``tsv``, ``parquet``,
            ``arrow`` or ``dataset``; ``None`` where several may.
        layout: How an object is laid out; ``None`` where that is seen.
    """

    writers: str
    container: str | None = None
    layout: RecordLayout | None = None


_WRITERS = {
    "squad": "SQuAD 1.1 and 2.0, XQuAD, MLQA, cdQA, Haystack's annotation tool",
    "mrqa": "MRQA 2019",
    "korquad": "KorQuAD 2",
    "simpletransformers": "simpletransformers",
    "tydi": "TyDi QA, primary task",
    "label-studio": "Label Studio, JSON and JSON-MIN",
    "argilla": "Argilla 2, records with a question for spans",
    "haystack": "Haystack, lists of Label",
    "doccano": "doccano, JSONL",
}

FORMATS: dict[str, FileFormat] = {
    "jsonl": FileFormat("datasets, pandas: JSON Lines", "jsonl"),
    "json": FileFormat("pandas, run_qa: a JSON document", "json"),
    "csv": FileFormat("spreadsheets, pandas, chaii, AutoTrain: fields between commas", "csv"),
    "tsv": FileFormat("fields between tabs", "tsv"),
    "parquet": FileFormat("datasets, pandas: Parquet", "parquet"),
    "arrow": FileFormat("Arrow, file or stream", "arrow"),
    "dataset": FileFormat("datasets: a folder of save_to_disk", "dataset"),
    **{layout.name: FileFormat(_WRITERS[layout.name], layout=layout) for layout in LAYOUTS},
}
"""All formats, by what study files call them."""


def read_rows(
    path: Path,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> Iterator[RawRow]:
    """The rows of a file, as they stand.

    Args:
        path: The file, also packed by gzip, bzip2 or xz; or a folder of ``save_to_disk``.
        format: A key of :data:`autoqa.reading.formats.FORMATS`; ``"auto"`` goes by what is in the
            file.
        columns: Field to column, where the file's columns have names of their own; see
            :data:`autoqa.reading.columns.FIELDS`.
        delimiter: What stands between the fields of a CSV file; left out, that is seen.

    Yields:
        Rows in file order; one that cannot be used has a ``problem``.

    Raises:
        ConfigError: There is no such format, field or delimiter.
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: The file cannot be read as a whole, or holds no rows.
    """
    empty = True
    for row in rows_in(path, format=format, columns=columns, delimiter=delimiter):
        empty = False
        yield row
    if empty:
        raise DataError(f"{path}: it holds no rows; leave it out, or give it some.")


def rows_in(
    path: Path,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    labels: bool = True,
    need: ContextNeed = "one",
) -> Iterator[RawRow]:
    """The rows of a file that may lack answers, contexts, or rows altogether.

    Otherwise as :func:`read_rows`.

    Args:
        path: As there.
        format: As there.
        columns: As there.
        delimiter: As there.
        labels: Whether answers are read; without them a row is good whatever its answers are.
        need: What rows must say of their context.
    """
    if format in ("auto", "parquet") and not columns and labels and need != "none":
        check_delimiter(delimiter)
        if is_plain_table(path):
            maker = RowMaker(Columns({}))
            maker.doubtful = False  # Arrow's texts are UTF-8, or cannot be read
            yield from plain_rows(path, maker.row)
            return
    needed = ("question",) if need == "none" else ("question", "context")
    mapping = Columns(columns or {}, needed)
    objects, layout = _recognise(path, check_format(format), mapping, check_delimiter(delimiter))
    hints: list[str] = []

    def hint() -> str:
        if not hints:
            hints.append(encoding_hint(path) if path.is_file() else ".")
        return hints[0]

    maker = RowMaker(mapping, labels=labels, encoding_hint=hint, need=need)
    yield from _rows(objects.items, layout, maker, _places(path, objects, layout), path.name)
    if mapping.unseen and layout is not None:
        raise DataError(f"{path}: {_unseen(mapping)}")


def rows_from(
    records: Iterable[object],
    name: str,
    columns: Mapping[str, str] | None = None,
) -> Iterator[RawRow]:
    """Rows of objects that are decoded already, in any layout that files may have.

    Args:
        records: The objects.
        name: What they are called in messages.
        columns: Field to column, where they call them by other names.
    """
    mapping = Columns(columns or {})
    items, layout = _peeked((place, record, True) for place, record in enumerate(records))
    places = _places(name, FileObjects("", items), layout)
    yield from _rows(items, layout, RowMaker(mapping), places, name)
    if mapping.unseen and layout is not None:
        raise DataError(f"{name}: {_unseen(mapping)}")


def recognised(path: Path) -> str:
    """The name of the format that a file is read as.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: It is of none.
    """
    return first_object(path)[0]


def first_object(path: Path) -> tuple[str, FileObject]:
    """The format that a file is read as and its first object, whatever its columns are called.

    Returns:
        The format's name; the object, empty where the first thing in the file is none.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: It is of no format.
    """
    objects, layout = _recognise(path, FileFormat(""), Columns({}, ()), None)
    first = next((item for _, item, _ in objects.items if isinstance(item, Mapping)), {})
    return objects.container if layout in (None, ROWS) else layout.name, first


def missing_package(path: Path, format: str = "auto") -> str | None:
    """Says which package reading a file needs that is not installed; quick.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read.
    """
    return columnar.missing_package(path, check_format(format).container)


def check_format(name: str) -> FileFormat:
    """The format of a name; ``"auto"`` leaves all open.

    Raises:
        ConfigError: There is no such format.
    """
    if name == "auto":
        return FileFormat("")
    if name not in FORMATS:
        known = ", ".join(("auto", *FORMATS))
        hint = did_you_mean(name, ("auto", *FORMATS)) or "."
        raise ConfigError(f"format {name!r} is none of {known}{hint}")
    return FORMATS[name]


def check_delimiter(delimiter: str | None) -> str | None:
    r"""A delimiter of one character; ``\t`` and ``tab`` are a tab.

    Raises:
        ConfigError: It is not one character.
    """
    if delimiter is None:
        return None
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ConfigError(f"delimiter {delimiter!r} must be one character, such as ',' or ';'.")
    return delimiter


def _recognise(
    path: Path, wanted: FileFormat, columns: Columns, delimiter: str | None
) -> tuple[FileObjects, RecordLayout | None]:
    objects = objects_in(path, columns, container=wanted.container, delimiter=delimiter)
    items, layout = _peeked(objects.items)
    objects = FileObjects(objects.container, items, objects.key)
    if wanted.layout is not None and layout is not None and layout is not wanted.layout:
        found = objects.container if layout is ROWS else layout.name
        raise DataError(
            f"{path}: it is no {wanted.layout.name} file, it looks like {found}; "
            "change format, or leave it out."
        )
    return objects, layout


def _peeked(items: Items) -> tuple[Items, RecordLayout | None]:
    """The items as they were, and how the first object among them is laid out."""
    seen: list[tuple[int, object, bool]] = []
    for item in items:
        seen.append(item)
        if isinstance(item[1], Mapping):
            return itertools.chain(seen, items), layout_of(item[1])
    return iter(seen), ROWS if seen else None


def _places(
    path: Path | str, objects: FileObjects, layout: RecordLayout | None
) -> Callable[[int], str]:
    path = str(path)
    if objects.container in ("jsonl", "csv", "tsv"):
        return lambda line: f"{path}:{line}"
    if layout is not None and layout.nested:
        return lambda place: f"{path}: {objects.key}[{place}]"
    return lambda place: f"{path}: row {place + 1}"


def _rows(
    items: Items,
    layout: RecordLayout | None,
    maker: RowMaker,
    place: Callable[[int], str],
    name: str,
) -> Iterator[RawRow]:
    number = 0
    row = maker.row
    nested = layout if layout is not ROWS else None
    for index, record, doubtful in items:
        maker.doubtful = doubtful
        where = place(index)
        if nested is not None and isinstance(record, Mapping):
            sentence = misfit(record, nested)
            if not sentence:
                for inner, question in nested.questions(record, where, f"{name}#{index}"):
                    number += 1
                    yield row(question, inner, number)
                continue
            record = Unusable(sentence)
        number += 1
        made = row(record, where, number)
        if made.problem and isinstance(record, Mapping) and (sentence := misfit(record, ROWS)):
            made = replace(made, problem=sentence)
        yield made


def _unseen(columns: Columns) -> str:
    field, column = next(iter(columns.unseen.items()))
    return f"no row has a {missing_column(field, column, columns.first).removeprefix('no ')}"
