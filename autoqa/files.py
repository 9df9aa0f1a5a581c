"""Files and folders that are written whole or not at all, and locks that one process holds.

What counts as written has reached the disk, with its name: a crash of the machine takes none of it.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from autoqa.errors import AutoqaError, ConfigError

_POLL = 0.05
"""Seconds between two looks at a lock that another process holds."""


def check_folder(target: Path, what: str, mark: str, *, force: bool) -> None:
    """Says whether a folder may be written there, before anything costly is done.

    ``force`` replaces an older folder of the same kind and nothing else: a mistyped path must not
    delete a home directory.

    Args:
        target: The folder.
        what: Its kind, with article.
        mark: A file that every folder of the kind has.
        force: Replace an older one.

    Raises:
        ConfigError: Something is in the way.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConfigError(f"{target} exists and is no folder: give another path.")
    if target.is_dir() and any(target.iterdir()):
        if not (target / mark).is_file():
            raise ConfigError(
                f"{target} is a folder with other things than {what} in it, which autoqa "
                "will not delete: give another path."
            )
        if not force:
            raise ConfigError(
                f"{target} exists already: give another path, or --force to replace it."
            )


@contextmanager
def writing_output(target: Path) -> Iterator[Path]:
    """As :func:`writing_folder`, for a folder that a person named by ``--to``.

    Args:
        target: The folder to make or replace; its parents are made, too.

    Raises:
        ConfigError: Nothing can be written there.
        AutoqaError: Writing failed on the way, as on a full disk; what was there before stays.
    """
    target = target.absolute()
    with ExitStack() as stack:
        try:
            partial = stack.enter_context(writing_folder(target))
        except OSError as error:
            raise ConfigError(f"{target} cannot be written: {error}.") from error
        try:
            yield partial
            stack.close()
        except OSError as error:
            raise AutoqaError(f"{target} could not be written: {error}.") from error


@contextmanager
def writing_folder(target: Path, partial: Path | None = None) -> Iterator[Path]:
    """A folder to fill under a temporary name that takes the target's place when the block ends.

    Args:
        target: The folder to make or replace; its parents are made, too.
        partial: The temporary name, beside the target; what a killed writer left there is removed
            first. Left out, a name that no other process takes.

    Raises:
        OSError: Writing failed; what was there before stays.
    """
    if partial is None:
        partial = _partial(target)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        for path in (*partial.rglob("*"), partial):
            _sync(path)
        _swap(partial, target)
        _sync(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def writing_file(path: Path) -> Iterator[Path]:
    """A temporary name to write to, whose file takes the path's place when the block ends.

    Raises:
        OSError: Writing failed; what was there before stays.
    """
    partial = _partial(path)
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file that is complete whenever it is seen."""
    with writing_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def locked(
    path: Path,
    *,
    wait: bool = True,
    waiting: Callable[[], None] | None = None,
    remove: bool = False,
    shared: bool = False,
) -> Iterator[TextIO | None]:
    """Holds a lock file while the block runs; the kernel lets go when the process ends, however.

    Args:
        path: The file; its folder is made.
        wait: Wait for whoever holds it; else go on without it.
        waiting: Called many times a second while another process holds it; may raise.
        remove: Remove the file at the end of the block.
        shared: Others may hold it at the same time who share it, too.

    Yields:
        The file, open to read and to append; ``None`` where it is not held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _acquire(path, wait, waiting, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield file
    finally:
        if file is not None:
            if remove:
                path.unlink(missing_ok=True)
            file.close()


def _acquire(
    path: Path, wait: bool, waiting: Callable[[], None] | None, kind: int
) -> TextIO | None:
    blocks = wait and waiting is None
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, kind if blocks else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            if waiting is None:
                return None
            waiting()
            time.sleep(_POLL)
            continue
        # Whoever held it before may have removed the file: then this lock locks nothing.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _partial(path: Path) -> Path:
    # Containers that share a folder may have equal numbers of processes.
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")


def _sync(path: Path) -> None:
    """Has the disk take a file's content, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(partial: Path, target: Path) -> None:
    """Puts the new folder in the place of the old one, which survives if that fails."""
    if not target.exists():
        partial.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    old.rmdir()
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
