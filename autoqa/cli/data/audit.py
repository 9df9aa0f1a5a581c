"""``autoqa data audit``: what is in the data, and what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import complain, data_console, echo_json, wide_option

if TYPE_CHECKING:
    from autoqa.data.audit import StudyAudit


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="Look at this source only.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with examples."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with examples.")
@wide_option
def audit(study: Path, source: str | None, html: Path | None, as_json: bool) -> None:
    """Report what is in the sources of the study file STUDY, and what is wrong with them.

    Rows are looked at as they stand in their files: nothing is repaired, refused or written. Where
    a source cannot be read, the others are reported, and the exit code is that of its error: 2 for
    a file, 3 for a plugin, 4 for what is not on this machine.
    """
    from dataclasses import asdict

    from autoqa.data.audit import audit_study
    from autoqa.registry import open_study
    from autoqa.report.audit import audit_sentences, audit_table

    result = audit_study(open_study(study), source)
    if html is not None:
        _write_page(html, result)
    if as_json:
        echo_json(asdict(result))
    else:
        data_console().print(audit_table(result))
        click.echo("\n".join(audit_sentences(result)))
        if html is not None:
            click.echo(f"{html}: a page with examples")
    for source_audit in result.sources:
        if source_audit.unreadable:
            complain(source_audit.unreadable)
    click.get_current_context().exit(result.exit_code)


def _write_page(path: Path, result: "StudyAudit") -> None:
    from autoqa.errors import DataError
    from autoqa.files import write_atomically
    from autoqa.report.audit_page import audit_page

    try:
        write_atomically(path, audit_page(result))
    except OSError as error:
        raise DataError(f"--html {str(path)!r} cannot be written: {error.strerror}.") from error
