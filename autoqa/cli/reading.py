"""Options of commands that read a file of questions."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from autoqa.errors import AutoqaError


@contextmanager
def input_file(file: Path) -> Iterator[Path]:
    """A file that may be read more than once: the given one, or for ``-`` what stdin holds.

    What goes wrong with a piped file is told of standard input, not of the copy that is read.

    Raises:
        click.UsageError: Nothing is piped in.
    """
    if str(file) != "-":
        yield file
        return
    if sys.stdin.isatty():
        raise click.UsageError("- stands for what is piped in, and nothing is: name a file")
    with TemporaryDirectory(prefix="autoqa-") as folder:
        path = Path(folder) / "standard-input"
        with path.open("wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target)
        try:
            yield path
        except AutoqaError as error:
            error.args = tuple(str(each).replace(str(path), shown(file)) for each in error.args)
            raise


def shown(file: Path) -> str:
    """What messages call a file that was given."""
    return "standard input" if str(file) == "-" else str(file)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--column``, ``--input-format`` and ``--delimiter`` to a command.

    The command gets them as ``columns``, ``format`` and ``delimiter``, as readers take them.
    """
    for option in (
        click.option(
            "--delimiter",
            metavar="CHARACTER",
            help="What stands between the fields of a CSV FILE; without it, that is seen.",
        ),
        click.option(
            "--input-format",
            "format",
            default="auto",
            show_default=True,
            metavar="NAME",
            help="Format of FILE; auto goes by what is in it. docs/data.md lists all.",
        ),
        click.option(
            "--column",
            "columns",
            metavar="FIELD=COLUMN",
            multiple=True,
            callback=_columns,
            help="What FILE calls id, question, context...; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def _columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for field, column in column_pairs(ctx, param, values):
        if field in columns:
            raise click.BadParameter(f"{field} is given two columns.")
        columns[field] = column
    return columns


def column_pairs(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What was given as ``FIELD=COLUMN``, each as a pair.

    Raises:
        click.BadParameter: Something else was given.
    """
    pairs = []
    for value in values:
        field, equals, column = value.partition("=")
        if not equals or not field or not column:
            raise click.BadParameter(f"{value!r} must be FIELD=COLUMN, as in context=text.")
        pairs.append((field, column))
    return pairs
