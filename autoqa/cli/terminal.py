"""Output: data on stdout, everything else on stderr.

Rich is imported where something is printed, so that ``autoqa --help`` does without.
"""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 10_000
"""Columns where no terminal limits them: a program that reads a table wants whole lines."""


def data_console() -> "Console":
    """Rich on stdout: colours only in a terminal, and no folded lines in a pipe."""
    from rich.console import Console

    class DataConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # called while BrokenPipeError is handled; `main` knows what to do

    return DataConsole(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


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

    console = note_console()
    for line in message.splitlines() or [""]:
        console.print(Text.assemble((f"{label}:", style), " ", line))


def warn(message: str) -> None:
    """Prints a warning that does not end the command."""
    complain(message, label="Warning", style="bold yellow")
