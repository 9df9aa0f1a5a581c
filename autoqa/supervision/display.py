"""What people see while a search runs: a live table, plain lines, or nothing."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.training.messages import Progress


@dataclass(frozen=True)
class BackboneStatus:
    """Where the search stands with one backbone.

    Attributes:
        name: The backbone.
        trials: Of it that have left a candidate.
        highest: Its candidate with the highest public score.
    """

    name: str
    trials: int
    highest: CandidateRecord | None = None


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
        backbones: The same for each backbone, where there are several.
    """

    done: int
    total: int
    highest: CandidateRecord | None = None
    seconds_left: float | None = None
    estimated: bool = False
    waiting: str | None = None
    backbones: tuple[BackboneStatus, ...] = ()


def backbone_statuses(
    names: Collection[str], candidates: Sequence[CandidateRecord]
) -> tuple[BackboneStatus, ...]:
    """Where each backbone stands by its candidates; nothing where there is one backbone only."""
    if len(names) < 2:
        return ()
    own = {name: [each for each in candidates if each.backbone == name] for name in names}
    return tuple(
        BackboneStatus(
            name,
            len({each.trial for each in those if not each.ingredients}),
            min(those, key=by_score, default=None),
        )
        for name, those in own.items()
    )


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
    """One line per event, as log files want it, and now and then where the search stands.

    Args:
        stream: Where to.
        every: Seconds between two lines that say so.
    """

    def __init__(self, stream: TextIO, every: float = 600.0) -> None:
        self._stream, self._every = stream, every
        self._said = time.monotonic()

    def event(self, text: str) -> None:
        """Writes one line with the time of day."""
        self._stream.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        self._stream.flush()

    def status(self, status: Status) -> None:
        """Says the counts, if they were not for some time."""
        if time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            self.event(status_line(status))


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
            self._show(self.picture())

    def _show(self, picture: RenderableType) -> None:
        self._live.update(picture, refresh=True)

    def picture(self) -> Group:
        """The table and the lines below it."""
        table = Table(box=None, pad_edge=False)
        for heading in ("worker", "trial", "backbone", "phase", "stage", "step", "loss", "win/s"):
            table.add_column(heading, justify="left" if heading in "backbonephase" else "right")
        for worker, row in sorted(self._rows.items()):
            table.add_row(str(worker), *(_cells(*row) if row else ("–", "", "idle")))
        status = self._status
        backbones = Table(box=None, pad_edge=False, show_header=False)
        for each in status.backbones:
            best = "" if each.highest is None else f"{score(each.highest)} {each.highest.id}"
            count = f"{each.trials} trial{'' if each.trials == 1 else 's'}"
            backbones.add_row(each.name, count, best)
        # A third of the line for the bar: what is beside it is read, and must not be broken.
        width = min(40, self._console.width // 3)
        bar = ProgressBar(total=max(1, status.total), completed=status.done, width=width)
        beside = Table.grid(padding=(0, 1))
        beside.add_row(bar, Text(progress_line(status)))
        below = [Text(best_line(status))] if status.highest is not None else []
        return Group(table, backbones, beside, *below)


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
    """Counts, time left, and the highest score so far with its interval."""
    return ", ".join(filter(None, (progress_line(status), best_line(status))))


def best_line(status: Status) -> str:
    """The highest score so far with its interval; empty where there is none."""
    best = status.highest
    return "" if best is None else f"highest {score(best)}, {best.id} ({best.backbone})"


def progress_line(status: Status) -> str:
    """Counts and time left."""
    parts = [f"{status.done} of {status.total} trials"]
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
