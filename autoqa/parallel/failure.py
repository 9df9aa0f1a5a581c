"""What is told of an exception that ended a run."""

import errno

from autoqa.errors import DISK_FAULT, OUT_OF_MEMORY, AutoqaError, disk_fault
from autoqa.text.printable import printable


class RankError(AutoqaError):
    """A process that trains a part of the run failed or died.

    Attributes:
        kind: What :func:`kind_of` says of its error.
    """

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def kind_of(error: Exception) -> str:
    """Class name of the error; one name for all ways in which memory runs out, or a disk fails."""
    if isinstance(error, RankError):
        return error.kind
    # PyTorch's allocator for the CPU has no exception of its own.
    starved = isinstance(error, MemoryError) or "not enough memory" in str(error)
    if starved or getattr(error, "errno", None) == errno.ENOMEM:
        return OUT_OF_MEMORY
    return DISK_FAULT if disk_fault(error) else type(error).__name__


def sentence_of(error: Exception) -> str:
    """One sentence for people, without a traceback, and with nothing that a terminal obeys."""
    if isinstance(error, AutoqaError):
        return printable(str(error))
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {printable(text[0])}" if text else type(error).__name__
