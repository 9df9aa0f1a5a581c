"""Processes of one round of the drill, known by a mark in their environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARK = "AUTOQA_DRILL_ROUND"
PATIENCE = 3
"""Limits are so many times what an idle machine needs: what never comes fails, not what is slow."""


class StuckError(AssertionError):
    """Something that has to come has not come in its time."""


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Waits for a condition.

    Raises:
        StuckError: In vain.
    """
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise StuckError(f"{what} within {seconds:.0f} s")
        time.sleep(0.08)


def marked(mark: str) -> list[int]:
    """Processes with a mark that are not over, whoever is their parent."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0") and not _is_over(entry):
                    found.append(int(entry.name))
    return sorted(found)


def workers(mark: str) -> list[int]:
    """Those of them that run trials."""
    return [pid for pid in marked(mark) if b"spawn_main" in _read(pid, "cmdline")]


def parent_of(pid: int) -> int:
    """The process that started one."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def start(arguments: list[str], mark: str, variables: dict[str, str], said: Path) -> "Process":
    """Starts a process of the drill."""
    environment = os.environ | variables | {MARK: mark, "PYTHONPATH": str(ROOT)}
    with said.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.drill.process", *arguments],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=environment,
        )


Process = subprocess.Popen[bytes]


def kill_all(mark: str, seconds: float = 15) -> None:
    """Ends all processes with a mark, as a crash of their machine does."""
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not marked(mark), seconds, "the processes of a round have not ended")


def _is_over(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def _read(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""
