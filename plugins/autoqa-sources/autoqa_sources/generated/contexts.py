"""Texts of files as contexts of moderate length."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autoqa.api import DataError, rows_in, sentences
from autoqa_sources.file import files
from autoqa_sources.generated.options import GeneratedOptions

_PLAIN = (".txt", ".md")


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A context without questions.

    Attributes:
        text: The context.
        language: Its ISO code.
        document: What it was cut from.
    """

    text: str
    language: str
    document: str


def contexts(options: GeneratedOptions) -> list[Unlabelled]:
    """All different contexts of the files, in their order.

    Raises:
        MissingAssetError: There is no such file, or the package that reads it is not installed.
        DataError: A file or row cannot be used, or a text's language is not known.
    """
    found: dict[str, Unlabelled] = {}
    for text in _texts(options):
        for low, high in _cut(text.text, options.longest_context):
            part = text.text[low:high]
            found.setdefault(part, Unlabelled(part, text.language, text.document))
    if not found:
        raise DataError(f"{options.path}: it holds no text; give files with at least one.")
    return list(found.values())


def _texts(options: GeneratedOptions) -> Iterator[Unlabelled]:
    # Rows must have a question to be read; here the context stands for it.
    columns = {"question": options.columns.get("context", "context"), **options.columns}
    for path in files(options.path):
        if path.suffix in _PLAIN and options.format == "auto":
            yield Unlabelled(_plain(path), _language("", options, str(path)), path.name)
            continue
        rows = rows_in(path, format=options.format, columns=columns, labels=False)
        for row in rows:
            if row.problem:
                raise DataError(f"{row.where}: {row.problem}")
            document = row.document or f"{path.name}#{row.id}"
            yield Unlabelled(row.context, _language(row.language, options, row.where), document)


def _plain(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: it is no UTF-8 text ({error}); convert it.") from error


def _language(stated: str, options: GeneratedOptions, where: str) -> str:
    if len(stated) in (2, 3) and stated.isascii() and stated.islower():
        return stated
    if options.language is None:
        raise DataError(
            f"{where}: its language is {stated!r}, no ISO code; give the option language."
        )
    return options.language


def _cut(text: str, most: int) -> Iterator[tuple[int, int]]:
    """First and one-past-last character of runs of whole sentences; a long one stands alone."""
    begin = end = -1
    for low, high in sentences(text):
        if begin >= 0 and high - begin > most:
            yield begin, end
            begin = -1
        begin, end = (low if begin < 0 else begin), high
    if begin >= 0:
        yield begin, end
