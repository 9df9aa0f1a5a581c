"""A result that one file of the run folder keeps until it is made anew or cleared."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from autoqa.errors import DataError

Result = TypeVar("Result")


def kept_result(path: Path, parse: Callable[[str], Result], way_out: str) -> Result | None:
    """Reads a result; ``None`` where there is none, or it was cleared.

    Args:
        path: Its file.
        parse: Makes it of the file's text; raises DataError.
        way_out: What to do where it cannot be read.

    Raises:
        DataError: The file cannot be read; names it and the way out.
    """
    if not path.is_file():
        return None
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (DataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}; {way_out}") from error


def clear_result(path: Path) -> bool:
    """Removes a result; says whether there was one."""
    existed = path.is_file()
    path.unlink(missing_ok=True)
    return existed
