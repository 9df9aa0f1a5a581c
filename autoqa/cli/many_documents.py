"""Options of commands that look for answers in many documents."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from autoqa.bundle.documents import Documents

_DEFAULT = 50
"""What :data:`autoqa.bundle.documents.PASSAGES` says, which is not imported for a help text."""


def document_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--documents`` and ``--passages`` to a command, which gets them by these names."""
    for option in (
        click.option(
            "--passages",
            metavar="N",
            default=str(_DEFAULT),
            show_default=True,
            callback=_passages,
            help="Of many documents, how many passages are read for a question; all reads each.",
        ),
        click.option(
            "--documents",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Look for answers in the text files below this folder.",
        ),
    ):
        command = option(command)
    return command


def opened_documents(
    folder: Path | None, passages: int | None, *, quiet: bool
) -> "Documents | None":
    """The documents of a folder, ready to be searched; says on stderr how many there are.

    Args:
        folder: The folder; without it there are none.
        passages: How many passages will be read for a question.
        quiet: Say nothing.

    Raises:
        MissingAssetError: There is no such folder, or the package that searches is missing.
        ConfigError: It is no folder.
        DataError: A file in it is no text, or there is none.
    """
    if folder is None:
        return None
    from autoqa.bundle.documents import Documents

    found = Documents.from_folder(folder)
    count = len(found.passages)
    searched = passages is not None and passages < count
    found.prepare()
    if not quiet:
        read = f"{passages:,} of them are" if searched else "all of them are"
        click.echo(
            f"{len(found):,} documents, {count:,} passages; {read} read for each question",
            err=True,
        )
    return found


def _passages(_ctx: click.Context, _param: click.Parameter, value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdecimal() or not int(value):
        raise click.BadParameter(f"{value!r} must be a whole number from 1 on, or all.")
    return int(value)
