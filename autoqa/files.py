"""Folders that are written whole or not at all, and replace only their own kind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoqa.errors import AutoqaError, ConfigError


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
        raise ConfigError(f"--to {target} exists and is no folder: give another path.")
    if target.is_dir() and any(target.iterdir()):
        if not (target / mark).is_file():
            raise ConfigError(
                f"--to {target} is a folder with other things than {what} in it, which autoqa "
                "will not delete: give another path."
            )
        if not force:
            raise ConfigError(
                f"--to {target} exists already: give another path, or --force to replace it."
            )


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """A folder to fill under a temporary name that takes the target's place when the block ends.

    Args:
        target: The folder to make or replace; its parents are made, too.

    Raises:
        ConfigError: Nothing can be written there.
        AutoqaError: Writing failed on the way, as on a full disk; what was there before stays.
    """
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ConfigError(f"--to {target} cannot be written: {error}.") from error
    try:
        yield partial
        partial.chmod(0o777 & ~_umask())
        _swap(partial, target)
    except OSError as error:
        raise AutoqaError(f"{target} could not be written: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


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
