"""What people see while a search runs: a live table, plain lines, or nothing."""

import sys
import time
from dataclasses import dataclass
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoqa.store.candidate_record import CandidateRecord
from autoqa.training.messages import Progress


@dataclass(frozen=True)
class Status:
    """Where the search stands.

    Attributes:
        done: Trials that count and are over.
        total: Trials wanted.
        highest: The candidate with the highest public score.
        seconds_left: Until the end of the budget, or an estimate; ``None`` if nobody knows.
        estimated: Whether ``seconds_left`` is an estimate.
        waiting: What the search waits for, if anything.
    """

    done: int
    total: int
    highest: CandidateRecord | None = None
    seconds_left: float | None = None
    estimated: bool = False
    waiting: str | None = None


class Display(Protocol):
    """Shows events, each worker's progress and the search's counts; entered while it runs."""

    def __enter__(self) -> "Display":
        """Starts showing."""

    def __exit__(self, *_: object) -> None:
        """Stops showing, and leaves the terminal as it was."""

    def event(self, text: str) -> None:
        """Shows one sentence about something that has happened."""

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Shows how far a worker has come with its trial."""

    def idle(self, worker: int) -> None:
        """Shows that a worker has no trial."""

    def status(self, status: Status) -> None:
        """Shows new counts of the search."""


def choose_display(quiet: bool, stream: TextIO | None = None) -> Display:
    """A live table on a terminal, plain lines elsewhere, nothing if asked for.

    Args:
        quiet: Show nothing but the result.
        stream: Where to; standard error if left out.
    """
    console = Console(file=stream or sys.stderr)
    if quiet:
        return QuietDisplay()
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(stream or sys.stderr)


class QuietDisplay:
    """Shows nothing."""

    def __enter__(self) -> "QuietDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        """Does nothing."""

    def event(self, text: str) -> None:
        """Shows nothing."""

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Shows nothing."""

    def idle(self, worker: int) -> None:
        """Shows nothing."""

    def status(self, status: Status) -> None:
        """Shows nothing."""


class PlainDisplay(QuietDisplay):
    """One line per event, as log files want it.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def event(self, text: str) -> None:
        """Writes one line with the time of day."""
        self._stream.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        self._stream.flush()


class LiveDisplay(QuietDisplay):
    """A table of workers below the lines of what happened.

    Args:
        console: A terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False
        )
        self._rows: dict[int, tuple[str, Progress] | None] = {}
        self._status = Status(0, 0)
        self._drawn = 0.0

    def __enter__(self) -> "LiveDisplay":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, text: str) -> None:
        """Prints a line above the table."""
        self._console.print(Text(text))

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Updates the worker's row."""
        self._rows[worker] = (backbone, progress)
        self._draw()

    def idle(self, worker: int) -> None:
        """Empties the worker's row."""
        self._rows[worker] = None
        self._draw()

    def status(self, status: Status) -> None:
        """Updates the lines below the table."""
        self._status = status
        self._draw()

    def _draw(self) -> None:
        # Four updates a second look continuous and cost nothing measurable.
        if time.monotonic() - self._drawn >= 0.25:
            self._drawn = time.monotonic()
            self._live.update(self.picture(), refresh=True)

    def picture(self) -> Group:
        """The table and the lines below it."""
        table = Table(box=None, pad_edge=False)
        for heading in ("worker", "trial", "backbone", "phase", "stage", "step", "loss", "win/s"):
            table.add_column(heading, justify="left" if heading in "backbonephase" else "right")
        for worker, row in sorted(self._rows.items()):
            table.add_row(str(worker), *(_cells(*row) if row else ("–", "", "idle")))
        status = self._status
        bar = ProgressBar(total=max(1, status.total), completed=status.done, width=40)
        below = Table.grid(padding=(0, 1))
        below.add_row(bar, Text(status_line(status)))
        return Group(table, below)


def _cells(backbone: str, progress: Progress) -> tuple[str, ...]:
    return (
        "" if progress.trial < 0 else str(progress.trial),
        backbone,
        progress.phase,
        f"{progress.stage}/{progress.stages}" if progress.stages else "",
        f"{progress.step}/{progress.steps}" if progress.steps else "",
        "" if progress.loss != progress.loss else f"{progress.loss:.3f}",
        ""
        if progress.windows_per_second != progress.windows_per_second
        else f"{progress.windows_per_second:.0f}",
    )


def status_line(status: Status) -> str:
    """Counts, highest score so far with its interval, and time left."""
    parts = [f"{status.done} of {status.total} trials"]
    if status.highest is not None:
        parts.append(
            f"highest {score(status.highest)}, {status.highest.id} ({status.highest.backbone})"
        )
    if status.seconds_left is not None:
        hedge = "about " if status.estimated else ""
        parts.append(f"{hedge}{duration(status.seconds_left)} left")
    if status.waiting is not None:
        parts.append(f"waiting for {status.waiting}")
    return ", ".join(parts)


def score(record: CandidateRecord) -> str:
    """Public score, with half its 95 % interval where it was measured."""
    half_width = record.half_width
    interval = "" if half_width is None else f" ± {half_width:.3f}"
    return f"{record.metric} {record.score:.3f}{interval}"


def duration(seconds: float) -> str:
    """Seconds as ``95 s``, ``10 min`` or ``2 h 30 min``."""
    rounded = max(0, round(seconds))
    if rounded < 120:
        return f"{rounded} s"
    minutes = round(rounded / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
