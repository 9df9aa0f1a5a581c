"""``autoqa plugins list``: what is installed, with the cause where a plugin fails."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json, warn

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.registry import Record


SLOW = 1.0
"""Seconds of an import from which on it is said."""


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def list_plugins(as_json: bool) -> None:
    """List backbones, sources, augmentations and metrics.

    Broken plugins are listed with the cause; they do not affect the others. The environment
    variable AUTOQA_PLUGINS limits which packages are used (comma-separated; empty for none).
    """
    from autoqa.registry import discover

    catalogue = discover()
    for warning in catalogue.warnings:
        warn(warning)
    for record in catalogue.records:
        if record.seconds > SLOW:
            warn(
                f"importing the {record.kind} {record.name!r} of {record.origin} takes "
                f"{record.seconds:.1f} s, and every command that looks plugins up waits for it"
            )
    if as_json:
        echo_json([_row(record) for record in catalogue.records])
        return
    if catalogue.records:
        data_console().print(_table(catalogue.records))
    else:
        warn("no plugins: install packages such as autoqa-backbones and autoqa-sources")
    if catalogue.excluded:
        off = sorted({record.distribution for record in catalogue.excluded})
        warn(f"AUTOQA_PLUGINS switches off: {', '.join(off)}")


def _row(record: "Record") -> dict[str, str | None]:
    return {
        "kind": record.kind,
        "name": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "entry_point": record.entry_point,
        "summary": record.summary,
        "failure": record.failure,
    }


def _table(records: "tuple[Record, ...]") -> "Table":
    from rich.text import Text

    from autoqa.report.tables import folded, table

    plugins_table = table(*folded("kind", "name", "package", "summary"), edge=False)
    for record in records:
        text = Text(record.summary)
        if record.failure is not None:
            text = Text.assemble(("failed: ", "bold red"), record.failure)
        plugins_table.add_row(record.kind, Text(record.name, "bold"), record.origin, text)
    return plugins_table
