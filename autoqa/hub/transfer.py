"""One file from the hub into the client's cache, by bytes that may come in several attempts."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autoqa.files import locked
from autoqa.hub.client import client_parts
from autoqa.hub.failures import BrokenOffError, CorruptFileError

_CHUNK = 1 << 20
_TIMEOUT = 10.0
"""Seconds without a byte after which a connection counts as broken."""
_ATTEMPTS = 3
"""In a row, as long as each brings bytes."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it.

    Attributes:
        name: Its path inside the repository.
        size: Bytes; ``None`` where the hub does not say.
        digest: Hex digits of its SHA-256, or of Git's SHA-1 for small files; the client's cache
            calls the file so. ``None`` where the hub does not say.
    """

    name: str
    size: int | None
    digest: str | None


def partial_file(blobs: Path, file: HubFile) -> Path:
    """Where what has come of a file waits for the rest; no reader of the cache looks there."""
    return blobs / f"{file.digest}.autoqa-part"


def bytes_here(blobs: Path, file: HubFile) -> int:
    """How many bytes of a file are here, whole or not."""
    for path in (blobs / str(file.digest), partial_file(blobs, file)):
        with suppress(OSError):
            return path.stat().st_size
    return 0


def fetch_blob(url: str, file: HubFile, blobs: Path, received: Callable[[int], None]) -> None:
    """Fetches a file whose size and digest are known; goes on where an earlier attempt ended.

    Args:
        url: Where it is.
        file: What it is.
        blobs: The folder of the client's cache that holds files by their digests.
        received: Called with the number of bytes that came.

    Raises:
        BrokenOffError: The connection ended too early; what came is kept.
        CorruptFileError: What came is not what the hub lists; nothing of it is kept.
    """
    target, partial = blobs / str(file.digest), partial_file(blobs, file)
    blobs.mkdir(parents=True, exist_ok=True)
    with locked(partial.with_suffix(".autoqa-lock"), remove=True):
        if target.exists():  # another process was faster
            return
        _fill(url, file, partial, received)
        _check(partial, file)
        partial.replace(target)


def _fill(url: str, file: HubFile, partial: Path, received: Callable[[int], None]) -> None:
    httpx = client_parts().httpx
    size = file.size or 0
    for attempt in range(_ATTEMPTS):
        before = partial.stat().st_size if partial.exists() else 0
        if before > size:
            partial.unlink()
            before = 0
        if before == size and partial.exists():
            return
        with suppress(httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout):
            _append(url, partial, before, received)
        here = partial.stat().st_size if partial.exists() else 0
        if here >= size:
            return
        if here <= before or attempt + 1 == _ATTEMPTS:
            raise BrokenOffError(file.name, here, size)


def _append(url: str, partial: Path, offset: int, received: Callable[[int], None]) -> None:
    client = client_parts()
    # Packed on the way, bytes could not be counted.
    headers = client.build_hf_headers() | {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    with client.get_session().stream("GET", url, headers=headers, timeout=_TIMEOUT) as response:
        client.hf_raise_for_status(response)
        begins = offset if response.status_code == 206 else 0
        with partial.open("r+b" if partial.exists() else "wb") as out:
            out.truncate(begins)
            out.seek(begins)
            told = position = begins
            for chunk in response.iter_bytes():
                out.write(chunk)
                position += len(chunk)
                if position > max(told, offset):  # what is sent again was told before
                    received(position - max(told, offset))
                    told = position


def _check(partial: Path, file: HubFile) -> None:
    size = partial.stat().st_size
    if size != file.size:
        partial.unlink()
        raise CorruptFileError(file.name, f"has {size:,} bytes where the hub lists {file.size:,}")
    digest = str(file.digest)
    with partial.open("rb") as read:
        if len(digest) == 64:
            found = hashlib.file_digest(read, "sha256").hexdigest()
        elif len(digest) == 40:
            git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
            while chunk := read.read(_CHUNK):
                git.update(chunk)
            found = git.hexdigest()
        else:
            return
    if found != digest:
        partial.unlink()
        raise CorruptFileError(file.name, "has another checksum than the hub lists")
