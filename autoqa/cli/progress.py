"""What a long answer will take, and how far it is, on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import warn
from autoqa.types import ProgressCallback

if TYPE_CHECKING:
    from autoqa.bundle.time_estimate import Estimate

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


def say_unread(sentences: list[str]) -> None:
    """Says which languages some models can hardly read."""
    for sentence in sentences:
        warn(sentence)


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
