"""``autoqa status``: which studies there are, how far they are, and who works on them."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import complain, data_console, echo_json, wide_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoqa.upkeep.status import StudyStatus


@click.command()
@click.argument("study", required=False)
@click.option(
    "--storage",
    metavar="URL",
    help="The study's database, where STUDY is a name that nobody has searched on this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@wide_option
def status(study: str | None, storage: str | None, as_json: bool) -> None:
    """Show how far STUDY is and who works on it; without STUDY, all studies of this machine.

    STUDY is the name of a study or its file. Counts of trials, every process with its machine and
    when it was last heard of, each worker's trial, candidates, the time limit, and what the study
    takes on disk. It changes nothing, waits for nobody, and works while searches run. Where the
    database fails, what is on disk is shown, and the exit code is that of the error.
    """
    from autoqa.upkeep.study_place import find_study

    if study is None:
        if storage is not None:
            raise click.UsageError("--storage goes with the name of a STUDY")
        overview(as_json)
        return
    from autoqa.report import status as report
    from autoqa.upkeep.status import study_status

    found = study_status(find_study(study, storage))
    if as_json:
        echo_json(report.as_object(found))
    else:
        show_status(found)
    end_with_problems([found])


def overview(as_json: bool) -> None:
    """Shows all studies of this machine's runs folder."""
    from autoqa.env import runs_folder
    from autoqa.report import status as report
    from autoqa.upkeep.status import study_status
    from autoqa.upkeep.study_place import studies_here

    found = [study_status(place) for place in studies_here()]
    if as_json:
        echo_json([report.as_object(each) for each in found])
    elif found:
        data_console().print(report.overview_table(found))
    else:
        click.echo(
            f"no study has been searched in {runs_folder()}; AUTOQA_HOME says where runs are"
        )
    end_with_problems(found)


def show_status(found: "StudyStatus") -> None:
    """Prints a study's status for people."""
    from autoqa.report import status as report

    click.echo("\n".join(report.sentences(found)))
    if found.searchers:
        data_console().print(report.process_table(found.searchers))
        workers = report.worker_table(found.searchers)
        if workers is not None:
            data_console().print(workers)


def end_with_problems(found: "Sequence[StudyStatus]") -> None:
    """Says what could not be read, a sentence each, and ends with the first one's exit code."""
    problems = [each.problem for each in found if each.problem is not None]
    for problem in problems:
        complain(str(problem))
    if problems:
        raise click.exceptions.Exit(problems[0].exit_code)
