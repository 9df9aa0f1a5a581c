"""``autoqa report``: a study as one page, as Markdown or as JSON."""

from pathlib import Path

import click

from autoqa.cli.terminal import complain


@click.command()
@click.argument("study")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; left out, NAME-report.html here. Markdown and JSON go to stdout without it.",
)
@click.option("--markdown", is_flag=True, help="Write Markdown for a README: tables, no pictures.")
@click.option("--json", "as_json", is_flag=True, help="Write all figures as JSON.")
@click.option("--audit", is_flag=True, help="Look at the sources, too, which can take minutes.")
@click.option(
    "--storage",
    metavar="URL",
    help="The study's database, where STUDY is a name that nobody has searched on this machine.",
)
def report(
    study: str,
    target: Path | None,
    markdown: bool,
    as_json: bool,
    audit: bool,
    storage: str | None,
) -> None:
    """Write a page about STUDY, the name of a study or its file.

    One HTML file that opens without a network: summary, leaderboard, history, what helped and by
    how much, recipes, ensemble, answers with their vote, data and cost. Nothing is changed, except
    that tables of an earlier autoqa are brought up to date; the sealed part is not opened. It works
    while a search runs; of a damaged study it shows what there is, and the exit code is that of the
    first error.
    """
    from autoqa.report.study_report import ReportFormat, study_report, write_report
    from autoqa.upkeep.study_place import find_study

    if markdown and as_json:
        raise click.UsageError("--markdown and --json: give one of them")
    if audit and (markdown or as_json):
        raise click.UsageError("--audit goes with the page; `autoqa data audit --json` has figures")
    place = find_study(study, storage).up_to_date()
    study_file = Path(study) if place.folder is None else place.folder.study_file
    format: ReportFormat = "markdown" if markdown else "json" if as_json else "html"
    made = study_report(place, format, study_file if audit else None)
    if target is None and (markdown or as_json):
        click.echo(made.text, nl=False)
    else:
        click.echo(str(write_report(made, target)))
    problem = made.overview.problem
    for sentence in made.overview.missing if problem else ():
        complain(sentence)
    if problem is not None:
        raise click.exceptions.Exit(problem.exit_code)
