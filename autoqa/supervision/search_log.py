"""What people see while a search runs, kept in a file as well."""

import time
from pathlib import Path

from autoqa.supervision.display import Display, Status
from autoqa.text.printable import printable
from autoqa.training.messages import Progress


class LoggedDisplay:
    """Shows what another display shows, and appends all events to a file with date and time.

    Args:
        display: The other one.
        path: The file; its folder is made.
    """

    def __init__(self, display: Display, path: Path) -> None:
        self._display, self._path = display, path
        self._complete = True

    def __enter__(self) -> "LoggedDisplay":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._display.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._display.__exit__(*raised)
        for error in raised:
            if isinstance(error, BaseException):
                self._write(f"ended by {type(error).__name__}: {error}")

    def event(self, text: str) -> None:
        """Shows a sentence, and writes it down."""
        self._display.event(printable(text))
        self._write(text)

    def detail(self, text: str) -> None:
        """Shows a sentence to those who want details, and writes it down."""
        self._display.detail(printable(text))
        self._write(text)

    def _write(self, text: str) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{now} {line}\n" for line in printable(text).splitlines())
        except OSError as error:  # a full disk: what to do about it is in the lines that follow
            if self._complete:
                self._complete = False
                self._display.event(f"{self._path} lacks lines from here on: {error}")

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Shows how far a worker has come with its trial."""
        self._display.working(worker, backbone, progress)

    def idle(self, worker: int) -> None:
        """Shows that a worker has no trial."""
        self._display.idle(worker)

    def status(self, status: Status) -> None:
        """Shows new counts of the search."""
        self._display.status(status)
