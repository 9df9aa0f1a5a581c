"""What is no text that rows can be read from: named, with what makes such a text of it."""

from collections.abc import Callable
from pathlib import Path

from autoqa.reading.content import conversion

_Advice = Callable[[Path], str]


def _words(text: str) -> _Advice:
    return lambda path: text  # noqa: ARG005


def _pandas(call: str, needs: str = "") -> _Advice:
    """A call of pandas that writes JSON Lines, which keep lists and numbers as they are."""

    def advice(path: Path) -> str:
        target = path.with_suffix(".jsonl")
        command = (
            f'python -c "import pandas; pandas.{call}({str(path)!r}).to_json({str(target)!r}, '
            "orient='records', lines=True, force_ascii=False)\""
        )
        return f"convert it: {command}{needs}"

    return advice


def _unpack(module: str) -> _Advice:
    return lambda path: (
        f"unpack it (python -m {module} -e {str(path)!r} {str(path.with_suffix(''))!r}) "
        "and name the file in it"
    )


_WITH_PANDAS = " (needs the package pandas)"
_SHEET = _pandas("read_excel", " (needs the packages pandas and {}), or save it as CSV UTF-8")
_OFFICE = {
    b"xl/": ("an Excel workbook", "openpyxl"),
    b"word/": ("a Word document", ""),
    b"ppt/": ("a PowerPoint presentation", ""),
    b"opendocument.spreadsheet": ("an OpenDocument spreadsheet", "odfpy"),
    b"opendocument.text": ("an OpenDocument text", ""),
}
_BY_HAND = _words(
    "write its passages and questions into a CSV file with the columns question and context"
)
_EXPORT = _words("export its rows as JSON Lines, CSV or Parquet")

_MAGIC: tuple[tuple[bytes, str, _Advice], ...] = (
    (b"%PDF", "a PDF document", _BY_HAND),
    (b"{\\rtf", "an RTF document", _BY_HAND),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", _words("save it as CSV UTF-8")),
    (b"SQLite format 3\x00", "an SQLite database", _EXPORT),
    (b"\x89HDF\r\n", "an HDF5 file", _EXPORT),
    (b"\x93NUMPY", "a NumPy array", _EXPORT),
    (b"ORC", "an ORC file", _pandas("read_orc", _WITH_PANDAS)),
    (b"FEA1", "a Feather file of version 1", _pandas("read_feather", _WITH_PANDAS)),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _words("unpack it and name the file in it")),
    (b"Rar!", "a RAR archive", _words("unpack it and name the file in it")),
    (
        b"\x28\xb5\x2f\xfd",
        "compressed by Zstandard",
        lambda path: (
            f'unpack it: python -c "import pyarrow; open({str(path.with_suffix(""))!r}, '
            f"'wb').write(pyarrow.input_stream({str(path)!r}, compression='zstd').read())\""
        ),
    ),
    (b"\x89PNG", "a picture", _BY_HAND),
    (b"\xff\xd8\xff", "a picture", _BY_HAND),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS to a file that was not fetched",
        _words("fetch it: git lfs pull"),
    ),
)

_UNICODE = (
    (b"\xff\xfe\x00\x00", "UTF-32", "utf-32"),
    (b"\x00\x00\xfe\xff", "UTF-32", "utf-32"),
    (b"\xff\xfe", "UTF-16", "utf-16"),
    (b"\xfe\xff", "UTF-16", "utf-16"),
)


_TEXT = b"\t\n\v\f\r\x1b"
"""What texts have of the bytes below a space."""


def refusal(path: Path, head: bytes) -> str | None:
    """The sentence about a file that rows cannot be read from; ``None`` where they may be.

    Args:
        path: Where it is, for commands that convert it.
        head: Its first bytes, unpacked.
    """
    found = _encoded(head, path) or _archive(head, path) or _pickle(head, path)
    if found is None:
        start = head.lstrip()[:100].lower()
        if start.startswith((b"<!doctype html", b"<html")):
            found = (
                "a page in HTML, perhaps the message that a download failed",
                "fetch the file itself",
            )
        elif start.startswith(b"<"):
            found = "XML", _EXPORT(path)
        else:
            found = next(
                ((name, way(path)) for magic, name, way in _MAGIC if head.startswith(magic)), None
            )
    start = head[:1000]
    if found is None and sum(byte < 32 and byte not in _TEXT for byte in start) > len(start) / 10:
        found = "a binary file of a kind that is not known", _EXPORT(path)
    return found and f"{path}: it is {found[0]}, from which no rows are read; {found[1]}."


def _encoded(head: bytes, path: Path) -> tuple[str, str] | None:
    for mark, name, codec in _UNICODE:
        if head.startswith(mark):
            return f"a text in {name}, not UTF-8", f"convert it: {conversion(path, codec)}"
    start = head[:200]
    for zeros, letters, codec in (
        (start[1::2], start[::2], "utf-16-le"),
        (start[::2], start[1::2], "utf-16-be"),
    ):
        if len(start) > 8 and zeros.count(0) > 0.9 * len(zeros) and letters.count(0) == 0:
            return "a text in UTF-16, not UTF-8", f"convert it: {conversion(path, codec)}"
    return None


def _archive(head: bytes, path: Path) -> tuple[str, str] | None:
    if head[257:262] == b"ustar":
        return "a tar archive", _unpack("tarfile")(path)
    if not head.startswith(b"PK\x03\x04"):
        return None
    for mark, (name, package) in _OFFICE.items():
        if mark in head:
            advice = _SHEET(path).format(package) if package else _BY_HAND(path)
            return name, advice
    if b"data.pkl" in head:
        return "a file of torch.save", _EXPORT(path)
    return "a zip archive", _unpack("zipfile")(path)


def _pickle(head: bytes, path: Path) -> tuple[str, str] | None:
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        advice = _pandas("read_pickle")(path).replace("convert it", "if you trust it, convert it")
        return "a pickle, which can run any program when it is opened", advice
    return None
