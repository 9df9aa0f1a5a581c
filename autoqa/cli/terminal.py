"""Output: data on stdout, everything else on stderr.

Rich is imported where something is printed, so that ``autoqa --help`` does without.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 10_000
"""Columns where nothing limits them: a program that reads a table wants whole lines."""

_WIDE = "autoqa.wide"
"""Key of click's context under which ``--wide`` is kept."""

_SAID = "autoqa.said"
"""The same for whichever of ``--quiet`` and ``--verbose`` was given."""


def wide_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--wide`` to a command whose tables leave out columns in narrow terminals."""
    return click.option(
        "--wide",
        is_flag=True,
        expose_value=False,
        callback=lambda ctx, _, value: ctx.meta.update({_WIDE: value}),
        help="Show all columns of tables, however narrow the terminal.",
    )(command)


def quiet_or_verbose(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--quiet`` and ``--verbose`` to a command that shows what it does, as two flags."""

    def one_only(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
        if value and ctx.meta.setdefault(_SAID, parameter.name) != parameter.name:
            raise click.UsageError("--quiet and --verbose ask for opposites: leave one of them out")
        return value

    command = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=one_only,
        help="Show details, too: recipe cards, snapshots, times, workers' log files.",
    )(command)
    return click.option("--quiet", is_flag=True, callback=one_only, help="Show the result only.")(
        command
    )


def data_console() -> "Console":
    """Rich on stdout: colours only in a terminal, and no folded lines in a pipe.

    ``COLUMNS`` in the environment says how wide tables may be, in a pipe, too.
    """
    from rich.console import Console

    class DataConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # called while BrokenPipeError is handled; `main` knows what to do

    context = click.get_current_context(silent=True)
    wide = context is not None and context.meta.get(_WIDE)
    # Rich reads COLUMNS itself.
    limited = not wide and (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal())
    return DataConsole(width=None if limited else PIPE_WIDTH, highlight=False)


def note_console() -> "Console":
    """Rich on stderr, for progress, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def echo_json(value: Any) -> None:
    """Prints a value as JSON on stdout, in the script of its text."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def complain(message: str, *, label: str = "Error", style: str = "bold red") -> None:
    """Prints one line for each problem in an error's message."""
    from rich.text import Text

    from autoqa.text.printable import printable

    console = note_console()
    for line in printable(message).splitlines() or [""]:
        console.print(Text.assemble((f"{label}:", style), " ", line))


def warn(message: str) -> None:
    """Prints a warning that does not end the command."""
    complain(message, label="Warning", style="bold yellow")
