"""``autoqa report``: a study as one page, as Markdown or as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import complain

if TYPE_CHECKING:
    from autoqa.ablation.result import Ablation
    from autoqa.data.audit import StudyAudit
    from autoqa.store.run_folder import RunFolder


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
    from autoqa.upkeep.overview import study_overview
    from autoqa.upkeep.study_place import find_study

    if markdown and as_json:
        raise click.UsageError("--markdown and --json: give one of them")
    if audit and (markdown or as_json):
        raise click.UsageError("--audit goes with the page; `autoqa data audit --json` has figures")
    place = find_study(study, storage).up_to_date()
    overview = study_overview(place)
    if markdown:
        from autoqa.report.study_markdown import study_markdown

        _put(study_markdown(overview), target)
    elif as_json:
        import json

        from autoqa.report.study_summary import study_figures

        _put(json.dumps(study_figures(overview), ensure_ascii=False, indent=2) + "\n", target)
    else:
        from autoqa.report.study_page import study_page

        looked_at = _audit(study, place.folder is not None) if audit else None
        page = study_page(overview, looked_at, _ablations(place.folder))
        _put(page, target or Path(f"{place.name}-report.html"))
    for sentence in overview.missing if overview.problem else ():
        complain(sentence)
    if overview.problem is not None:
        raise click.exceptions.Exit(overview.problem.exit_code)


def _audit(study: str, here: bool) -> "StudyAudit":
    from autoqa.analysis.finished_run import known_study
    from autoqa.data.audit import audit_study
    from autoqa.registry import open_study

    return audit_study(open_study(known_study(study) if here else Path(study)))


def _ablations(folder: "RunFolder | None") -> "list[Ablation]":
    """Those of a study on this machine; without them the page is whole, too."""
    from autoqa.ablation.result import kept_ablations
    from autoqa.errors import DataError

    try:
        return [] if folder is None else kept_ablations(folder)
    except DataError as error:
        complain(str(error))
        return []


def _put(text: str, target: Path | None) -> None:
    from autoqa.errors import DataError
    from autoqa.files import write_atomically

    if target is None:
        click.echo(text, nl=False)
        return
    try:
        write_atomically(target, text)
    except OSError as error:
        raise DataError(f"--to {str(target)!r} cannot be written: {error.strerror}.") from error
    click.echo(str(target))
