"""``autoqa compare``: two studies side by side."""

import click

from autoqa.cli.terminal import data_console, echo_json


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(first: str, second: str, as_json: bool) -> None:
    """Show what differs between two studies, and what SECOND gains on FIRST.

    Each is the name of a study or its file. Differences of the files, of the data and of the space,
    then the best candidates and the ensembles: question by question where both studies have the
    same public questions, else as independent means, which is said. Nothing is changed or opened.
    """
    from autoqa.report import study_comparison as report
    from autoqa.upkeep.study_comparison import compare_studies
    from autoqa.upkeep.study_place import find_study

    compared = compare_studies(*(find_study(each).up_to_date() for each in (first, second)))
    if as_json:
        echo_json(report.as_objects(compared))
        return
    data_console().print(report.comparison_table(compared))
    click.echo("\n".join(report.sentences(compared)))
