"""What holds the objects of a file: JSON, tables of text, Parquet, Arrow."""

from dataclasses import dataclass
from pathlib import Path

from autoqa.errors import DataError, MissingAssetError
from autoqa.reading import columnar, delimited, json_text
from autoqa.reading.columns import Columns
from autoqa.reading.content import head_of
from autoqa.reading.unreadable import refusal


@dataclass(frozen=True)
class FileObjects:
    """The objects of a file.

    Attributes:
        container: What holds them.
        items: Each with its line, or its place from 0.
        key: Of the list that holds them in a JSON document.
    """

    container: str
    items: json_text.Items
    key: str = ""


def objects_in(
    path: Path, columns: Columns, *, container: str | None = None, delimiter: str | None = None
) -> FileObjects:
    """The objects of a file.

    Args:
        path: The file.
        columns: Which of its columns are looked for.
        container: What holds them, where that is known.
        delimiter: What stands between the fields of a CSV file, where that is known.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: It cannot be read as a whole.
    """
    if path.is_dir() or container == "dataset":
        if columnar.is_saved_dataset(path):
            return FileObjects("dataset", columnar.read_saved_dataset(path))
        raise MissingAssetError(
            f"{path} is {'a' if path.is_dir() else 'no'} folder, which is read if "
            "Dataset.save_to_disk wrote it; name a file."
        )
    head = head_of(path)
    binary = columnar.columnar_kind(head)
    if "parquet" in (binary, container):
        return FileObjects("parquet", columnar.read_parquet(path))
    if "arrow" in (binary, container):
        return FileObjects("arrow", columnar.read_arrow(path))
    sentence = refusal(path, head)
    if sentence is not None:
        raise DataError(sentence)
    if container is None and delimiter is None and head.lstrip()[:1] in (b"{", b"["):
        document = json_text.single_document(path)
        if document is not None:
            return _of_document(path, document, columns)
        container = "jsonl"
    if container == "json":
        return _of_document(path, json_text.read_document(path), columns)
    if container == "jsonl":
        return FileObjects("jsonl", json_text.json_lines(path))
    chosen = delimiter or ("\t" if container == "tsv" else delimited.delimiter_of(path, columns))
    name = "tsv" if chosen == "\t" else "csv"
    return FileObjects(name, delimited.read_delimited(path, chosen, columns))


def _of_document(path: Path, document: json_text.Document, columns: Columns) -> FileObjects:
    names = [column.partition(".")[0] for column in columns]
    key, items = json_text.listed_in(path, document.value, names)
    doubtful = document.doubtful
    return FileObjects("json", ((place, item, doubtful) for place, item in enumerate(items)), key)
