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
    _print("left out of training, because validation holds", data.leaks, rows)
    _print("kept, but another training source holds", shared, rows)


def _print(title: str, leaked: "Sequence[Leak]", rows: int) -> None:
    from autoqa.report.leaks import leaks_table

    if leaked:
        data_console().print(leaks_table(title, leaked, rows))
    else:
        click.echo(f"{title}: nothing")
