"""A picture of a search that is drawn over itself while events scroll by above it."""

import time

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from autoqa.supervision.display import QuietDisplay, Status
from autoqa.supervision.live_picture import Rows, picture
from autoqa.training.messages import Progress

_BETWEEN = 1.0
"""Seconds between two pictures of what workers say: as often as one says something, and seldom
enough for a slow line."""


class LiveDisplay(QuietDisplay):
    """What workers do and where the search stands, below the lines of what happened.

    Args:
        console: A terminal.
        verbose: Whether details are wanted.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console, self._verbose = console, verbose
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False
        )
        self._rows: Rows = {}
        self._status = Status(0, 0)
        self._drawn = 0.0

    def __enter__(self) -> "LiveDisplay":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, text: str) -> None:
        """Prints a line above the picture."""
        self._console.print(Text(text))

    def detail(self, text: str) -> None:
        """Prints a line where details are wanted."""
        if self._verbose:
            self.event(text)

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Updates the worker's row."""
        self._rows[worker] = (backbone, progress)
        if time.monotonic() - self._drawn >= _BETWEEN:
            self._draw()

    def idle(self, worker: int) -> None:
        """Empties the worker's row."""
        self._rows[worker] = None
        self._draw()

    def status(self, status: Status) -> None:
        """Updates what stands below the workers."""
        self._status = status
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._show(self.picture())

    def _show(self, shown: RenderableType) -> None:
        self._live.update(shown, refresh=True)

    def picture(self) -> RenderableType:
        """Workers, trials that ended last, backbones, and where the search stands."""
        return picture(self._rows, self._status, self._console)
