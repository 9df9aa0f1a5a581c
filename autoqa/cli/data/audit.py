"""``autoqa data audit``: what is in the data, and what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.data.audit import StudyAudit


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="Look at this source only.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with examples."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with examples.")
def audit(study: Path, source: str | None, html: Path | None, as_json: bool) -> None:
    """Report what is in the sources of the study file STUDY, and what is wrong with them.

    Rows are looked at as they stand in their files: nothing is repaired, refused or written.
    """
    from dataclasses import asdict

    from autoqa.data.audit import audit_study
    from autoqa.registry import open_study

    found = audit_study(open_study(study), source)
    if html is not None:
        _write(html, found)
    if as_json:
        echo_json(asdict(found))
        return
    data_console().print(_table(found))
    for pair in found.shared:
        counts = ", ".join(f"{count} by {reason}" for reason, count in pair.rows.items())
        click.echo(f"{pair.source} shares rows with {pair.held_source}: {counts}")
    click.echo(f"study {found.study}: sources {len(found.sources)}, rows {found.rows}")


def _write(path: Path, found: "StudyAudit") -> None:
    from autoqa.errors import DataError
    from autoqa.files import write_atomically
    from autoqa.report.audit_page import audit_page

    try:
        write_atomically(path, audit_page(found))
    except OSError as error:
        raise DataError(f"--html {str(path)!r} cannot be written: {error.strerror}.") from error


def _table(found: "StudyAudit") -> "Table":
    from rich import box
    from rich.table import Table

    from autoqa.data.tally import FINDING_KINDS

    kinds = [kind for kind in FINDING_KINDS if any(kind in each.findings for each in found.sources)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("source")
    for heading in ("rows", "contexts", "unanswerable", "context chars", "answer words"):
        table.add_column(heading, justify="right")
    table.add_column("languages")
    for kind in kinds:
        table.add_column(kind.replace("_", " "), justify="right")
    for each in found.sources:
        table.add_row(
            each.name,
            str(each.rows),
            str(each.contexts),
            f"{each.unanswerable / each.rows:.1%}" if each.rows else "–",
            _middle(each.lengths["context"].characters),
            _middle(each.lengths["answer"].words),
            " ".join(each.languages),
            *(str(each.findings.get(kind, "–")) for kind in kinds),
        )
    return table


def _middle(quantiles: tuple[int, ...]) -> str:
    """The median, with the range that nine of ten lie in."""
    return "–" if not quantiles else f"{quantiles[2]} ({quantiles[1]}–{quantiles[3]})"
