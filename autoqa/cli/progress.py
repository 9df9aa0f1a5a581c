"""What a long answer will take, and how far it is, on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from autoqa.types import ProgressCallback

if TYPE_CHECKING:
    from autoqa.api import Received
    from autoqa.bundle.time_estimate import Estimate

_BETWEEN = 10.0
"""Seconds between two lines of a log about one download."""

_NAMED = 5
"""Questions that are named, of many."""


def announce(estimate: "Estimate") -> None:
    """Says how much there is to answer and about how long that takes."""
    from autoqa.supervision.display import duration

    counts = (
        (estimate.questions, "question"),
        (estimate.windows, "window"),
        (estimate.models, "model"),
    )
    amounts = ", ".join(f"{n:,} {word}{'s' * (n != 1)}" for n, word in counts)
    click.echo(f"{amounts}: about {duration(estimate.seconds)}", err=True)


def say_shortened(ids: list[str]) -> None:
    """Says which questions were not read to their end."""
    named = ", ".join(ids[:_NAMED]) + ("..." if len(ids) > _NAMED else "")
    one = len(ids) == 1
    click.echo(
        f"note: {len(ids):,} question{'' if one else 's'} {'is' if one else 'are'} too long for "
        f"the models' windows; only the beginning was read: id {named}",
        err=True,
    )


@contextmanager
def progress_bar(label: str, *, quiet: bool = False) -> Iterator[ProgressCallback | None]:
    """Shows how far something is.

    Args:
        label: What it is.
        quiet: Show nothing.

    Yields:
        A function of units done and units in all; ``None`` where nobody would see the bar.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from autoqa.cli.terminal import note_console

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=note_console(), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield update


@contextmanager
def download_bar(name: str, size: int | None, *, quiet: bool = False) -> "Iterator[Received]":
    """Shows how much of a download has come: as a bar, or in a log as lines now and then.

    Args:
        name: What is fetched.
        size: Bytes that are to come; ``None`` where that is not known.
        quiet: Show nothing.

    Yields:
        A function of the bytes that came since the last call.
    """
    if quiet:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield _logged(name, size)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from autoqa.cli.terminal import note_console

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=note_console()) as bar:
        task = bar.add_task(name, total=size)
        yield lambda amount: bar.advance(task, amount)


def _logged(name: str, size: int | None) -> "Received":
    """Writes a line at the beginning and every few seconds."""
    from autoqa.report.amounts import size as words

    whole = "" if size is None else f" of {words(size)}"
    click.echo(f"fetching {name}{f': {words(size)}' if size is not None else ''}", err=True)
    came, last = 0, time.monotonic()

    def received(amount: int) -> None:
        nonlocal came, last
        came += amount
        if time.monotonic() - last >= _BETWEEN:
            last = time.monotonic()
            click.echo(f"{name}: {words(came)}{whole}", err=True)

    return received
