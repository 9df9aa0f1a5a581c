"""Which process on which machine: to tell whether one that is silent is gone for good."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, told apart from all others on machines that share a database.

    Attributes:
        machine: Host name and, where the system tells it, the namespace that its process numbers
            belong to: containers of one host count anew.
        pid: Its number there.
        started: When it began, in clock ticks of its machine, because numbers are used again;
            empty where the system does not tell.
    """

    machine: str
    pid: int
    started: str

    @classmethod
    def own(cls) -> Self:
        """The process that asks."""
        return cls(_machine(), os.getpid(), _started(os.getpid()))

    @property
    def host(self) -> str:
        """The host's name."""
        return self.machine.partition("/")[0]

    def is_gone(self) -> bool:
        """Whether it has ended for certain; false where that cannot be known from here."""
        if self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it is there, and somebody else's
            pass
        return _started(self.pid) != self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _machine() -> str:
    namespace = Path("/proc/self/ns/pid")
    try:
        return f"{platform.node()}/{namespace.stat().st_ino}"
    except OSError:
        return platform.node()


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name, in brackets, may hold spaces; the start is the 22nd field of all. A zombie
    # has ended: it only waits to be asked how.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
