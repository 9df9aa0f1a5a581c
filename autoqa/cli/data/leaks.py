"""``autoqa data leaks``: which rows give others away, and why."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoqa.data.overlap import Leak


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--rows", default=10, type=click.IntRange(min=0), help="Rows shown of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all rows.")
def leaks(study: Path, rows: int, as_json: bool) -> None:
    """List rows of the study file STUDY that give validation answers away.

    They are left out of training: rows with a context of the validation set, a near copy of one or
    a passage from one; translations under the same id; and rows with one of its questions and the
    same answer. What training sources have in common with each other is listed below that and
    stays where it is.
    """
    from dataclasses import asdict

    from autoqa.data import prepare_data
    from autoqa.data.overlap import between
    from autoqa.registry import open_study

    data = prepare_data(open_study(study))
    shared = between(data.train)
    if as_json:
        echo_json(
            {
                "removed": [asdict(leak) for leak in data.leaks],
                "between_sources": [asdict(leak) for leak in shared],
            }
        )
        return
    _show("left out of training, because validation holds", data.leaks, rows)
    _show("kept, but another training source holds", shared, rows)


def _show(title: str, found: "Sequence[Leak]", rows: int) -> None:
    from itertools import groupby

    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for heading in ("rows", "source", "id", "because of", "shares", "with", "id"):
        table.add_column(heading, justify="right" if heading in ("rows", "shares") else "left")

    def kind(leak: "Leak") -> tuple[str, str, str]:
        return leak.source, leak.held_source, leak.reason

    for _, group in groupby(sorted(found, key=kind), key=kind):
        alike = list(group)
        for place, leak in enumerate(alike[: max(1, rows)]):
            table.add_row(
                str(len(alike)) if place == 0 else "",
                leak.source,
                leak.id if rows else "",
                leak.reason,
                f"{leak.share:.0%}" if rows else "",
                leak.held_source,
                leak.held if rows else "",
            )
    if found:
        data_console().print(table)
    else:
        click.echo(f"{title}: nothing")
