"""Checksums of what a run folder keeps: written with the files, compared whenever they are read.

A candidate's folder holds ``checksums.json``; a single file may have its sum in a file beside it,
which ``sha256sum -c`` reads, too. Files without a sum were written before there were any, and are
taken as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from autoqa.errors import DataError
from autoqa.files import write_atomically

SUMS = "checksums.json"


class DamagedError(DataError):
    """A file is not what was written; the sentence says which, and how that shows."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a file was when it was written.

    Attributes:
        sha256: Of its bytes.
        size: How many they are.
    """

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "Checksum":
        """Those of a file as it is."""
        return cls(checksum(path), path.stat().st_size)


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path) -> None:
    """Writes the sums of all files below a folder into it, before it gets its name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    sums = {path.relative_to(folder).as_posix(): asdict(Checksum.of(path)) for path in paths}
    (folder / SUMS).write_text(checked_json(sums), encoding="utf-8")


def written_sums(folder: Path) -> Mapping[str, Checksum]:
    """Sums of a folder's files by their names; empty where they were written without.

    Raises:
        DamagedError: The sums themselves are damaged.
    """
    path = folder / SUMS
    if not path.exists():
        return {}
    return {name: Checksum(**sums) for name, sums in read_checked(path).items()}


def damage(folder: Path, name: str) -> str | None:
    """What is wrong with a file of a folder that has sums; ``None`` where nothing is.

    A file is read once per process as long as neither its size nor its time changes. That takes
    half a millisecond per MB, so that 500 candidates with predictions of 2 MB cost half a second.

    Raises:
        DamagedError: The sums themselves are damaged.
    """
    expected = written_sums(folder).get(name)
    return None if expected is None else _difference(folder / name, expected)


def check(folder: Path, name: str) -> None:
    """Raises DamagedError where :func:`damage` finds any."""
    problem = damage(folder, name)
    if problem is not None:
        raise DamagedError(f"{folder / name} is damaged ({problem})")


def is_whole(folder: Path) -> bool:
    """Whether a folder is there with all files that it has sums of, as they were written."""
    try:
        return folder.is_dir() and not any(damage(folder, name) for name in written_sums(folder))
    except DamagedError:
        return False


def write_sum_beside(path: Path) -> None:
    """Writes a file's sum into a file beside it, in the format of ``sha256sum``."""
    write_atomically(_beside(path), f"{checksum(path)}  {path.name}\n")


def sum_beside(path: Path) -> str | None:
    """The sha256 beside a file; ``None`` where it has none."""
    try:
        return _beside(path).read_text(encoding="utf-8", errors="replace").split(" ")[0]
    except FileNotFoundError:
        return None


def forget_sum_beside(path: Path) -> None:
    """Removes the sum beside a file that is about to be written anew."""
    _beside(path).unlink(missing_ok=True)


def damage_beside(path: Path) -> str | None:
    """What is wrong with a file that has its sum beside it; ``None`` where nothing is."""
    expected = sum_beside(path)
    if expected is None:
        return None
    try:
        return None if _sha256_of(path) == expected else "its checksum differs"
    except OSError as error:
        return str(error.strerror)


def checked_json(content: Any) -> str:
    """A JSON value as text that carries its own digest; :func:`read_checked` reads it."""
    return json.dumps({"sha256": _digest(content), "content": content}, indent=1) + "\n"


def read_checked(path: Path) -> Any:
    """The value in a file of :func:`checked_json`.

    Raises:
        DamagedError: The file cannot be read, or is not what was written.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["sha256"] == _digest(stored["content"]):
            return stored["content"]
        problem = "its checksum differs"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = str(error)[:80]
    raise DamagedError(f"{path} is damaged ({problem})")


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _difference(path: Path, expected: Checksum) -> str | None:
    try:
        size = path.stat().st_size
        if size != expected.size:
            return f"{size:,} bytes of {expected.size:,}"
        return None if _sha256_of(path) == expected.sha256 else "its checksum differs"
    except OSError as error:
        return str(error.strerror)


def _sha256_of(path: Path) -> str:
    state = path.stat()
    return _sha256(path, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=4096)
def _sha256(path: Path, _time: int, _size: int, _inode: int) -> str:
    return checksum(path)
