"""``type = "file"``: question-answering data of any format from this machine."""

import difflib
import fnmatch
import glob
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from autoqa.api import (
    AutoqaError,
    Delimiter,
    Examples,
    FormatName,
    MissingAssetError,
    RawRow,
    RowOptions,
    SourceSpec,
    examples_from,
    is_saved_dataset,
    missing_package,
    read_rows,
    selected,
)

_LANGUAGE = "{language}"


class FileOptions(RowOptions):
    """Where the file is and how to read it.

    Attributes:
        path: A path, or a pattern with ``*``, ``?`` or ``**``; ``~`` is the home folder. Where it
            says ``{language}``, as in ``xquad.{language}.json``, every file whose name has an ISO
            code there is taken, and the code is the language of its rows that state none.
        format: ``"auto"`` goes by what is in a file.
        delimiter: What stands between the fields of a CSV file; left out, that is seen.
    """

    path: str
    format: FormatName = "auto"
    delimiter: Delimiter | None = None


def load(options: FileOptions) -> Examples:
    """Reads all files of the path.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: A file or row cannot be used; says file and line.
    """
    return examples_from(_rows(files(options.path), options), options, options.path)


def rows(options: FileOptions) -> Iterator[RawRow]:
    """The rows of all files of the path, as they stand.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: A file cannot be read; says file and line.
    """
    return selected(_rows(files(options.path), options), options)


def missing(options: FileOptions) -> str | None:
    """Says which file or package is not on this machine."""
    try:
        paths = files(options.path)
    except MissingAssetError as error:
        return str(error)
    for path in paths:
        try:
            sentence = missing_package(path, options.format)
        except AutoqaError:
            return None  # a damaged file: reading it says more
        if sentence:
            return sentence
    return None


def files(pattern: str) -> list[Path]:
    """The files that a path or pattern names, sorted; folders of ``save_to_disk`` are files.

    Raises:
        MissingAssetError: There is none; the message names what lies near.
    """
    path = Path(pattern).expanduser()
    if path.is_file() or is_saved_dataset(path):
        return [path]
    if glob.has_magic(pattern) or _LANGUAGE in pattern:
        wildcards = str(path).replace(_LANGUAGE, "*")
        # Path.glob refuses patterns that begin at the root.
        matches = sorted(Path(name) for name in glob.glob(wildcards, recursive=True))  # noqa: PTH207
        matches = [match for match in matches if match.is_file() or is_saved_dataset(match)]
        if _LANGUAGE in pattern:
            matches = [match for match in matches if language_of(match, pattern)]
        if matches:
            return matches
        raise MissingAssetError(f"no file matches {pattern!r}{_hint(path)}")
    if path.is_dir():
        raise MissingAssetError(
            f"{pattern!r} is a folder, not a file; "
            f"name a file or a pattern such as {str(path / '*.jsonl')!r}."
        )
    raise MissingAssetError(f"there is no file {pattern!r}{_hint(path)}")


def language_of(path: Path, pattern: str) -> str:
    """The ISO code that a file has where its pattern says ``{language}``; empty where none is."""
    if _LANGUAGE not in pattern:
        return ""
    before, _, after = str(Path(pattern).expanduser()).partition(_LANGUAGE)
    code = "([a-z]{2,3})"
    sides = [fnmatch.translate(side).removesuffix("\\Z") for side in (before, after)]
    match = re.fullmatch(code.join(sides), str(path))
    return match.group(1) if match else ""


def _hint(path: Path) -> str:
    folder = path.parent
    while glob.has_magic(str(folder)) or _LANGUAGE in str(folder):
        folder = folder.parent
    if not folder.is_dir():
        return f"; there is no folder {str(folder)!r} either."
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if close:
        return f"; in {str(folder)!r} there is {' or '.join(map(repr, close))}."
    return f"; {str(folder)!r} holds {', '.join(names[:5]) if names else 'no files'}."


def _rows(paths: list[Path], options: FileOptions) -> Iterator[RawRow]:
    for path in paths:
        language = language_of(path, options.path)
        for row in read_rows(
            path, format=options.format, columns=options.columns, delimiter=options.delimiter
        ):
            if language and not row.language:
                row = replace(row, language=language)
            # Files that a pattern takes together count their rows from 1 each.
            yield replace(row, id=_unique(row, path, options.path)) if row.numbered else row


def _unique(row: RawRow, path: Path, pattern: str) -> str:
    if not glob.has_magic(pattern) and _LANGUAGE not in pattern:
        return row.id
    folder = Path(pattern).expanduser().parent
    while glob.has_magic(str(folder)) or _LANGUAGE in str(folder):
        folder = folder.parent
    return f"{path.relative_to(folder).as_posix()}#{row.id}"


spec = SourceSpec(
    name="file",
    summary="Files of JSON, JSON Lines, CSV, Parquet, Arrow, and of annotation tools",
    options=FileOptions,
    load=load,
    missing=missing,
    rows=rows,
)
