"""What people see while a search runs, kept in a file as well."""

import time
from collections.abc import Callable
from pathlib import Path

from autoqa.supervision.display import Display, QuietDisplay, Status
from autoqa.text.printable import printable
from autoqa.training.messages import Progress


class LoggedDisplay:
    """Shows what another display shows, and appends all events to a file with date and time.

    Args:
        display: The other one; where it cannot be written to any more, as to a pipe that nobody
            reads, nothing is shown from there on: no search ends because nobody looks.
        path: The file; its folder is made.
    """

    def __init__(self, display: Display, path: Path) -> None:
        self._display, self._path = display, path
        self._complete = True

    def __enter__(self) -> "LoggedDisplay":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._show(self._display.__enter__)
        return self

    def __exit__(self, *raised: object) -> None:
        self._show(lambda: self._display.__exit__(*raised))
        for error in raised:
            if isinstance(error, BaseException):
                self._write(f"ended by {type(error).__name__}: {error}")

    def event(self, text: str) -> None:
        """Shows a sentence, and writes it down."""
        self._show(lambda: self._display.event(printable(text)))
        self._write(text)

    def detail(self, text: str) -> None:
        """Shows a sentence to those who want details, and writes it down."""
        self._show(lambda: self._display.detail(printable(text)))
        self._write(text)

    def _write(self, text: str) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{now} {line}\n" for line in printable(text).splitlines())
        except OSError as error:  # a full disk: what to do about it is in the lines that follow
            if self._complete:
                self._complete = False
                lacking = f"{self._path} lacks lines from here on: {error}"
                self._show(lambda: self._display.event(lacking))

    def _show(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            self._display = QuietDisplay()
            self._write(f"nothing is shown from here on: {error}")

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Shows how far a worker has come with its trial."""
        self._show(lambda: self._display.working(worker, backbone, progress))

    def idle(self, worker: int) -> None:
        """Shows that a worker has no trial."""
        self._show(lambda: self._display.idle(worker))

    def status(self, status: Status) -> None:
        """Shows new counts of the search."""
        self._show(lambda: self._display.status(status))
