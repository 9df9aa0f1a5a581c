"""What people see while a search runs: where it stands, and displays that say so in lines."""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.training.messages import DeviceUse, Progress


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
class TrialOutcome:
    """What became of a trial that is over.

    Attributes:
        trial: Optuna's number.
        backbone: Its backbone; empty where it ended before that was known.
        last: Its last candidate; ``None`` where it has none.
        note: Why it failed, ended early, or was not trained; empty where nothing is to be said.
    """

    trial: int
    backbone: str
    last: CandidateRecord | None = None
    note: str = ""


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
        recent: The trials that ended last, the latest first.
    """

    done: int
    total: int
    highest: CandidateRecord | None = None
    seconds_left: float | None = None
    estimated: bool = False
    waiting: str | None = None
    backbones: tuple[BackboneStatus, ...] = ()
    recent: tuple[TrialOutcome, ...] = ()


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

    def detail(self, text: str) -> None:
        """Shows one sentence that only those want to read who asked for more."""

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

    def detail(self, text: str) -> None:
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
        every: Seconds between two reports of where it stands.
        verbose: Whether details are wanted.
    """

    def __init__(self, stream: TextIO, every: float = 600.0, *, verbose: bool = False) -> None:
        self._stream, self._every, self._verbose = stream, every, verbose
        self._rows: dict[int, tuple[str, Progress]] = {}
        self._said = time.monotonic()

    def event(self, text: str) -> None:
        """Writes one line with the time of day."""
        self._stream.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        self._stream.flush()

    def detail(self, text: str) -> None:
        """Writes a line where details are wanted."""
        if self._verbose:
            self.event(text)

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Keeps what the worker does for the next report."""
        self._rows[worker] = (backbone, progress)

    def idle(self, worker: int) -> None:
        """Leaves the worker out of the next report."""
        self._rows.pop(worker, None)

    def status(self, status: Status) -> None:
        """Says the counts and what each worker does, if they were not for some time."""
        if time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            self.event(status_line(status))
            for worker, row in sorted(self._rows.items()):
                self.event(f"worker {worker}: {worker_line(*row)}")


def worker_line(backbone: str, progress: Progress) -> str:
    """What a worker does, how far it is, how fast, and on what, in words for a log."""
    stage = f" stage {progress.stage} of {progress.stages}" if progress.stages > 1 else ""
    parts = [f"trial {progress.trial} ({backbone}) {progress.phase}{stage}"]
    if progress.steps:
        parts.append(f"step {progress.step} of {progress.steps}")
    if math.isfinite(progress.windows_per_second):
        parts.append(f"{progress.windows_per_second:,.0f} windows/s")
    if math.isfinite(progress.left):
        parts.append(f"about {duration(progress.left)} left")
    if progress.device is not None:
        parts.append(" ".join(device_words(progress.device)))
    return ", ".join(parts)


def device_words(use: DeviceUse) -> tuple[str, str]:
    """A device, and the memory that is taken: of a GPU by all processes, and what it has."""
    if use.total:
        return use.device, f"{use.memory / 1e9:.0f}/{use.total / 1e9:.0f} GB"
    return f"{use.device}×{use.threads}", f"{use.memory / 1e9:.1f} GB"


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
