"""A tracker in a process of its own, which may fail or hang without disturbing the search."""

import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autoqa.tracking.base import TrackerPlace


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds that a tracker may take.

    Attributes:
        call: For its start, or for one call.
        close: For all that is left to write when a search ends.
    """

    call: float = 120.0
    close: float = 60.0


_MOST_WAITING = 10_000
"""Calls that may wait for a slow tracker."""


@dataclass
class Outlet:
    """Hands calls to a tracker and never waits for it.

    Attributes:
        name: Which tracker.
        place: Where it writes.
        log: Takes what its packages print.
        limits: How long it may take.
    """

    name: str
    place: TrackerPlace
    log: Path
    limits: TimeLimits = field(default_factory=TimeLimits)
    _process: subprocess.Popen[str] | None = None
    _calls: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)
    _given: int = 0
    _done: int = -1  # its start is answered, too
    _heard: float = field(default_factory=time.monotonic)
    _problem: str = ""
    _off: bool = False

    def call(self, method: str, *arguments: Any) -> None:
        """Has a method called in the tracker's process, some time."""
        if self._off:
            return
        if self._process is None:
            try:
                self._start()
            except OSError as error:
                self._problem = f"its process cannot begin: {error}"
                return
        if self._given - max(self._done, 0) == 0:
            self._heard = time.monotonic()  # it had nothing to do
        self._given += 1
        self._calls.put(json.dumps([method, *arguments]) + "\n")

    def problem(self) -> str:
        """Why the tracker is off from now on; told once, empty otherwise."""
        if self._off or (self._process is None and not self._problem):
            return ""
        reason = self._problem
        waiting = self._given - self._done
        if not reason and waiting > 0 and time.monotonic() - self._heard > self.limits.call:
            reason = f"it has not answered for {self.limits.call:g} seconds"
        if not reason and waiting > _MOST_WAITING:
            reason = f"{waiting} calls wait for it"
        if not reason:
            return ""
        self._turn_off()
        return reason

    def end(self) -> None:
        """Says that no call follows."""
        if self._process is not None:
            self._calls.put(None)

    def close(self, seconds: float) -> str:
        """Lets the tracker write what it was given, for a while; says what went wrong."""
        if self._off or self._process is None:
            return ""
        try:
            self._process.wait(seconds)
            self._reader.join(1.0)
            reason = self._problem
        except subprocess.TimeoutExpired:
            reason = (
                f"it was not done {seconds:g} seconds after the search; what it had "
                "not written is lost"
            )
        self._turn_off()
        return reason

    def _start(self) -> None:
        place = {**asdict(self.place), "folder": str(self.place.folder)}
        with self.log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autoqa.tracking.child", self.name, json.dumps(place)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the search, which then closes it
            )
        self._heard = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            with self._process.stdin as pipe:
                while (line := self._calls.get()) is not None:
                    pipe.write(line)
                    pipe.flush()
        except OSError:
            return  # it has ended, and its last answer says why

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                self._problem = self._problem or json.loads(line)
                self._done += 1
                self._heard = time.monotonic()
        if self._process.wait() and not self._problem:
            self._problem = f"its process ended with {self._process.returncode}; see {self.log}"

    def _turn_off(self) -> None:
        self._off = True
        self._calls.put(None)
        if self._process is not None:
            self._process.kill()
