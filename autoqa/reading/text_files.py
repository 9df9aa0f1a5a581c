"""Folders of plain text."""

import os
from collections.abc import Iterator
from pathlib import Path

from autoqa.errors import ConfigError, DataError, MissingAssetError
from autoqa.reading.content import encoding_hint, opened


def read_texts(folder: Path) -> dict[str, str]:
    """The texts of all files below a folder, at any depth, by their path below it.

    Files and folders whose names begin with a dot are left out, and so are empty files. Texts stand
    as in the file, but for a byte order mark; ``.gz``, ``.bz2`` and ``.xz`` are unpacked.

    Raises:
        MissingAssetError: There is no such folder.
        ConfigError: It is a file.
        DataError: A file is no text, or cannot be read, or there is none.
    """
    if not folder.exists():
        raise MissingAssetError(f"{folder} does not exist.")
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file: name the folder that holds the documents.")
    texts = {}
    for path in _files(folder):
        text = _text(path)
        if text and not text.isspace():
            texts[path.relative_to(folder).as_posix()] = text
    if not texts:
        raise DataError(f"{folder} holds no text files: put the documents there, as UTF-8.")
    return texts


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith("."))


def _text(path: Path) -> str:
    with opened(path, wholly=True) as file:
        content = file.read()
    if b"\0" in content:
        raise DataError(
            f"{path}: it is no text; take it out of the folder, or put its text into a file."
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the byte 0x{content[error.start]:02x} is not UTF-8{encoding_hint(path)}"
        ) from None
