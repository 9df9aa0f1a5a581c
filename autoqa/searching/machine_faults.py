"""Faults of the machine: no trial starts until it makes sense again, and none is used up."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from autoqa.errors import AutoqaError, MachineFaultError, disk_fault
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import duration

BACK_OFF = (10.0, 30.0, 60.0)
"""Seconds before another trial starts after the first fault in a row, the second, and any later."""

MOST_WAIT = 15 * 60.0
"""Seconds with nothing running after which a search ends that waits for the machine."""

MOST_IN_ROW = 5
"""Faults without a finished trial in between after which a search ends."""

UNKNOWN_CANDIDATE = 64 * 1024**2
"""Bytes that must be free where no candidate says what one takes."""


class MachineFaults:
    """When a search that the machine has let down may start trials again.

    Args:
        folder: The run folder.
        say: Is told in a sentence what is waited for.
        clock: Gives seconds.

    Attributes:
        waiting: What a new trial waits for; ``None`` if nothing is in its way.
    """

    def __init__(
        self,
        folder: RunFolder,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.waiting: str | None = None
        self._folder, self._say, self._clock = folder, say, clock
        self._reason, self._disk, self._until = "", False, 0.0
        self._in_row = self._pauses = 0
        self._waited, self._looked = 0.0, 0.0

    def occurred(self, reason: str, *, disk: bool = False, remedied: bool = False) -> None:
        """Takes in a fault that has cost a run.

        Args:
            reason: A sentence about it.
            disk: Whether something could not be written or read.
            remedied: Whether the run is tried again in another way, so that nothing is waited for.
        """
        self._in_row, self._reason, self._disk = self._in_row + 1, reason, disk
        if remedied and self._in_row < MOST_IN_ROW:
            return
        # Whether the disk has room can be seen; only where that did not help time may.
        seconds = 0.0 if disk and not self._pauses else BACK_OFF[min(self._pauses, 2)]
        self._pauses += 1
        self._looked = self._clock()
        self._until = self._looked + seconds
        missing = self._missing()
        self.waiting = missing or f"{duration(seconds)} to pass"
        if missing or seconds:
            self._say(f"no trial starts until there is hope again: waiting for {self.waiting}")

    def finished(self) -> None:
        """Takes in that a trial was finished: the machine works."""
        self._in_row, self._pauses, self._waited = 0, 0, 0.0
        self.waiting = None

    def over(self, *, idle: bool) -> bool:
        """Looks whether trials may start.

        Args:
            idle: Whether nothing runs.

        Raises:
            MachineFaultError: There were too many faults, or there was too long a wait, and
                nothing runs any more that may yet be finished.
        """
        if self.waiting is None:
            return True
        now = self._clock()
        if idle:
            self._waited += now - self._looked
        self._looked = now
        if self._in_row >= MOST_IN_ROW or self._waited >= MOST_WAIT:
            if idle:
                raise self._error()
            return False
        missing = self._missing()
        if now < self._until or missing is not None:
            self.waiting = missing or self.waiting
            return False
        self.waiting = None
        self._say("trials start again")
        return True

    def _missing(self) -> str | None:
        return missing_on_disk(self._folder) if self._disk else None

    def _error(self) -> MachineFaultError:
        often = (
            f"{self._in_row} runs in a row were lost"
            if self._in_row >= MOST_IN_ROW
            else f"{duration(self._waited)} of waiting have not helped"
        )
        missing = self._missing()
        return MachineFaultError(
            f"the machine ended the search: {often}, the last one because: {self._reason}."
            + (f" It needs {missing}." if missing else "")
            + f" What finished, and how far the others came, is kept in {self._folder.path}. "
            "The same command goes on where it stopped"
        )


def missing_on_disk(folder: RunFolder) -> str | None:
    """What the file system of a run folder lacks for another candidate, ``None`` if nothing."""
    needed, free = _candidate_bytes(folder), shutil.disk_usage(folder.path).free
    if free < needed:
        return (
            f"{needed / 1024**2:,.0f} MiB free on the disk of {folder.path}, which has "
            f"{free / 1024**2:,.0f} MiB"
        )
    try:
        # Without a name: others that search the study look at the same time.
        with TemporaryFile(dir=folder.path) as probe:
            probe.write(b"room")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return f"a disk that can be written to ({error})"
    return None


def _candidate_bytes(folder: RunFolder) -> int:
    """What the largest candidate of a study takes."""
    sizes = [_bytes(folder.candidate(name)) for name in folder.candidate_ids()]
    return max(sizes, default=UNKNOWN_CANDIDATE)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def told(folder: RunFolder) -> Iterator[None]:
    """Tells of a disk that this process itself could not write to.

    Raises:
        MachineFaultError: In the block a file or the database could not be read or written.
    """
    try:
        yield
    except Exception as error:
        # What is told already, with no such error behind it, only quotes one.
        if not disk_fault(error.__cause__ if isinstance(error, AutoqaError) else error):
            raise
        missing = missing_on_disk(folder) if os.path.isdir(folder.path) else None  # noqa: PTH112
        raise MachineFaultError(
            f"{' '.join(str(error).split())}."
            + (f" The search needs {missing}." if missing else "")
            + f" What finished is kept in {folder.path}. The same command goes on where it stopped"
        ) from error
