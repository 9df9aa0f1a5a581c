"""The bytes of a file, unpacked, and what it is if it is no text."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from autoqa.errors import DataError, MissingAssetError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""What some programs put in front of UTF-8."""

HEAD = 1 << 16
"""Bytes at a file's beginning that say what it is."""

_PACKINGS: dict[bytes, tuple[str, Any]] = {
    b"\x1f\x8b": ("gzip", gzip),
    b"BZh": ("bzip2", bz2),
    b"\xfd7zXZ\x00": ("xz", lzma),
}
_AT_ONCE = 1 << 23
"""Bytes up to which a packed file that is read to its end is unpacked at once."""

_FREQUENT = {
    "cp1252": ("Windows-1252", "éèàùâêîôûçëïüöäßñóáíúãõåøæÉÈÀÖÄÜ’“”–«»"),
    "cp1250": ("Windows-1250", "áéíóúýěščřžůťďňąęłńśźżćőűăâîșț„”–"),
    "cp1251": ("Windows-1251", "оеаинтсрвлкмдпуяыьгзбч"),
    "koi8_r": ("KOI8-R", "оеаинтсрвлкмдпуяыьгзбч"),
    "cp1253": ("Windows-1253", "αοιετσνηυρπκμλωςάέίόύ"),
    "cp1254": ("Windows-1254", "ıişğüçöİâ"),
    "cp1255": ("Windows-1255", "יהואלתרבמשנ"),
    "cp1256": ("Windows-1256", "اليمونترببعدفهكةسحق"),
    "shift_jis": ("Shift JIS", "のにはをたがでてとしいなるれ、。です一人年日"),
    "euc_kr": ("EUC-KR", "이의다는에가을은를고하지도로사한인대기"),
    "gb18030": ("GB 18030", "的是在了国中一人有和，。大年为上我不这"),
    "big5": ("Big5", "的是在了國中一人有和，。大年為上我不這"),
}
"""Encodings that are not UTF-8, and the letters outside ASCII that texts in them mostly have."""


_FEWEST = 4
"""Bytes that are no UTF-8 from which an encoding is guessed."""


@contextmanager
def opened(path: Path, *, wholly: bool = False) -> Iterator[io.BufferedReader]:
    """A file's bytes, unpacked, without a byte order mark.

    Args:
        path: The file.
        wholly: Whether it will be read to its end.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read, or what packed it was cut short.
    """
    packing = "packed"
    if path.exists() and not path.is_file() and not path.is_dir():
        # What it is, is looked at before it is read; a second look would wait for ever.
        raise DataError(
            f"{path}: it is a pipe or a device, which can be read only once; write what comes out "
            "of it into a file, and name that."
        )
    try:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            start = file.peek(8)
            for magic, (name, module) in _PACKINGS.items():
                if not start.startswith(magic):
                    continue
                packing = name
                at_once = wholly and path.stat().st_size < _AT_ONCE
                raw = io.BytesIO(module.decompress(file.read())) if at_once else module.open(file)
                file = stack.enter_context(io.BufferedReader(raw, HEAD))
                break
            if file.peek(3).startswith(BYTE_ORDER_MARK):
                file.read(3)
            yield file
    except FileNotFoundError:
        raise MissingAssetError(f"{path} does not exist.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{path}: damaged {packing} file, {_reason(error)}; fetch it again."
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read, {_reason(error)}.") from None


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read, or is empty.
    """
    with opened(path) as file:
        head = file.read(HEAD)
        while not head.strip():
            following = file.read(HEAD)
            if not following:
                raise DataError(f"{path}: it is empty.")
            head = following
    return head


def decoded(data: bytes) -> tuple[str, bool]:
    """Text, and whether all bytes are UTF-8.

    Others become lone surrogates, which are named with the row that they stand in.
    """
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape"), False


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates."""
    try:
        text.encode("utf-16-le")  # refuses what UTF-8 does, in half the time
    except UnicodeEncodeError:
        return False
    return True


def encoding_hint(path: Path) -> str:
    """The end of a sentence about a byte that is no UTF-8: where the first is, what it may be."""
    with opened(path) as file:
        data = file.read(1 << 24)
    try:
        data.decode()
        return "."
    except UnicodeDecodeError as error:
        first = error.start
    line = data.count(b"\n", 0, first) + 1
    place = f" (the first such byte is in line {line})"
    guess = likely_encoding(data)
    if guess is None or path.read_bytes()[:1] != data[:1]:  # packed: no command converts it
        return f"{place}; save the file as UTF-8."
    title, codec = guess
    sample = data[max(0, first - 20) : first + 21].decode(codec, "ignore")
    return (
        f"{place}; as {title} it would read {' '.join(sample.split())!r}. If that is right: "
        f"{conversion(path, codec)}"
    )


def likely_encoding(data: bytes) -> tuple[str, str] | None:
    """Name and codec of the encoding whose frequent letters the bytes outside ASCII are.

    Letters alone decide, which tells languages apart that an encoding is used for, not every two
    encodings: what it gives is to be looked at.
    """
    sample = data[: 1 << 20]
    strange = [letter for letter in decoded(sample)[0] if letter > "\x7f"]
    broken = sum("\udc80" <= letter <= "\udcff" for letter in strange)
    if broken < _FEWEST or 2 * broken < len(strange):  # most of it is UTF-8 after all
        return None
    best: tuple[float, str] = (0.25, "")
    for codec, (_, letters) in _FREQUENT.items():
        try:
            text = sample.decode(codec, "strict" if len(sample) == len(data) else "ignore")
        except UnicodeDecodeError:
            continue
        other = [letter for letter in text if letter > "\x7f"]
        share = sum(letter in letters for letter in other) / max(1, len(other))
        if share > best[0] + 0.02:  # the more usual one comes first
            best = (share, codec)
    return (_FREQUENT[best[1]][0], best[1]) if best[1] else None


def conversion(path: Path, codec: str) -> str:
    """A command that writes a file as UTF-8."""
    target = path.with_name(f"utf8-{path.name}")
    return (
        f'python -c "from pathlib import Path; Path({str(target)!r}).write_bytes('
        f'Path({str(path)!r}).read_bytes().decode({codec!r}).encode())"'
    )


def _reason(error: BaseException) -> str:
    words = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return str(words).splitlines()[0].rstrip(".").lower()
