"""What can go wrong, and the exit code each kind ends the command with.

Every message is one clear sentence: the offending value, where it stands, the way out.
"""

import difflib
import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from typing import Any

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_DISK_WORDS = (
    *(os.strerror(number).lower() for number in _DISK_ERRORS),
    *("database or disk is full", "disk i/o error", "readonly database"),  # SQLite's
    *("inline_container", "pytorchstreamwriter failed"),  # torch.save's
    " requested and ",  # NumPy's, before how much was written
)


class AutoqaError(Exception):
    """Root of all errors that autoqa raises on purpose; shown without a traceback."""

    exit_code = 1


class ConfigError(AutoqaError):
    """A study file, an option or an argument is wrong.

    Args:
        problems: One sentence each; all problems found, not only the first.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        self.problems: Sequence[str] = problems
        super().__init__("\n".join(problems))


class DataError(AutoqaError):
    """A data file holds something that cannot be used; says file and line."""

    exit_code = 2


class PluginError(AutoqaError):
    """A plugin is unknown, broken, duplicated or made for another API version."""

    exit_code = 3


class MissingAssetError(AutoqaError):
    """Weights, a data file or a package is not on this machine, and cannot be fetched."""

    exit_code = 4


class NothingFeasibleError(AutoqaError):
    """The search or the selection ended without a single usable candidate."""

    exit_code = 5


class MachineFaultError(AutoqaError):
    """The machine let the search down: disk, memory, workers that are lost or hang."""

    exit_code = 6


class BundleError(AutoqaError):
    """An exported folder is damaged, incomplete, or of another version."""


class TrainingError(AutoqaError):
    """One run failed for a reason of its own: non-finite loss, collapse."""


class OutOfTimeError(AutoqaError):
    """A run's time was over while it waited for another one."""


class StoppedError(AutoqaError):
    """A run was asked to stop; what it had done is kept where checkpoints are."""


OUT_OF_MEMORY, DISK_FAULT = "OutOfMemoryError", "DiskFault"
"""What a worker calls all ways in which memory runs out, and in which a disk fails."""


def disk_fault(error: BaseException | None) -> bool:
    """Whether a disk was at fault: full, read-only, or broken.

    Libraries wrap what the system says in errors of their own, which then hold its words only.

    Args:
        error: What was raised; what it was raised from counts, too.
    """
    while error is not None:
        words = str(error).lower()
        if getattr(error, "errno", None) in _DISK_ERRORS or any(w in words for w in _DISK_WORDS):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error message: ``"; did you mean 'source'?"``, or nothing.

    Args:
        word: What was written.
        known: What could have been meant.
    """
    folded = {each.casefold(): each for each in sorted(known)}
    close = difflib.get_close_matches(word.casefold(), sorted(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def check_choice(argument: str, value: object, known: Sequence[str]) -> None:
    """Refuses an argument from Python that is none of the words it can be.

    Args:
        argument: Its name.
        value: What was given.
        known: The words.

    Raises:
        ConfigError: It is none of them.
    """
    if value not in known:
        hint = did_you_mean(str(value), known)
        raise ConfigError(f"{argument} {value!r} is none of {', '.join(known)}{hint}")


def check_keys(kind: type[Any], keys: Iterable[str]) -> None:
    """Refuses an object that has all values of a dataclass and others besides.

    autoqa writes what it knows, so the others are a later version's, and may change what the
    known ones mean. Where values are missing the object is something else.

    Raises:
        DataError: A newer autoqa has written it.
    """
    given, known = set(keys), {field.name for field in fields(kind)}
    needed = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }
    unknown = sorted(given - known)
    if unknown and needed <= given:
        raise DataError(
            f"written by a newer version of autoqa, for this one does not know "
            f"{', '.join(map(repr, unknown))}: install the newer one"
        )
