"""``autoqa reveal``: opens the private part of the validation set, and shows the shake-up."""

import click

from autoqa.cli.terminal import data_console, echo_json, note_console, wide_option


@click.command()
@click.argument("study")
@click.option("--reason", required=True, help="Why it is opened; written down with the time.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
@wide_option
def reveal(study: str, reason: str, as_json: bool) -> None:
    """Open the private part for all candidates of STUDY and for its last selection.

    STUDY is the name of a study or its file. Shows private beside public scores and ranks: how far
    the public ranking holds. Every opening is counted, because what is decided after it makes the
    private part a public one.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.reveal import open_private_part
    from autoqa.report import reveal as report

    run = open_run(study)
    with run.store:
        opened = open_private_part(run, reason)
    if as_json:
        echo_json(report.as_objects(opened))
    else:
        data_console().print(report.ranks_table(opened))
        click.echo("\n".join(report.sentences(opened)))
    note = report.earlier_openings(opened)
    if note:
        note_console().print(note, markup=False)
