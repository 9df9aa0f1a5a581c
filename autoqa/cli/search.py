"""``autoqa search``: propose recipes, train them, keep what comes out."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import echo_json, quiet_or_verbose

if TYPE_CHECKING:
    from autoqa.registry.bound import BoundStudy
    from autoqa.searching.setup import SearchOptions
    from autoqa.supervision.display import Display


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--trials", type=click.IntRange(min=1), help="In place of [search].trials.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="In place of [search].minutes: all is over by then.",
)
@click.option("--workers", type=click.IntRange(min=1), help="In place of [search].workers.")
@click.option(
    "--on",
    "kind",
    type=click.Choice(["local-process", "ray"]),
    default="local-process",
    show_default=True,
    help="Where workers run: here, or on a Ray cluster.",
)
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="With --on ray: the head node; else RAY_ADDRESS, else Ray on this machine alone.",
)
@click.option("--dry-run", is_flag=True, help="Resolve and size the study, train nothing.")
@click.option(
    "--time",
    "timed",
    is_flag=True,
    help="With --dry-run: time some steps, to say how many runs the minutes hold.",
)
@click.option(
    "--accept-changes", is_flag=True, help="Go on although the study file has been changed."
)
@click.option(
    "--warm-start",
    metavar="STUDY",
    help="Begin with what another study, by its name or file, found out about the same recipes.",
)
@quiet_or_verbose
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def search(
    study: Path,
    trials: int | None,
    minutes: float | None,
    workers: int | None,
    kind: str,
    address: str | None,
    dry_run: bool,
    timed: bool,
    accept_changes: bool,
    warm_start: str | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Search recipes for the study file STUDY; the same command resumes where it stopped.

    Ctrl-C stops in good order: what finished is kept, what was running is tried again by the next
    search. A second Ctrl-C stops at once.
    """
    if timed and not dry_run:
        raise click.UsageError("--time goes with --dry-run; a search times its runs anyway")
    if address is not None and kind != "ray":
        raise click.UsageError("--address goes with --on ray")
    if dry_run and kind != "local-process":
        raise click.UsageError("--dry-run sizes the study for this machine; leave --on out")
    # Everything heavier than click waits until the command runs.
    from autoqa.data import prepare_data
    from autoqa.registry import open_study
    from autoqa.run.start import open_past
    from autoqa.searching.runner import run_search
    from autoqa.searching.setup import SearchOptions
    from autoqa.supervision.display_choice import choose_display

    past = None if warm_start is None else open_past(warm_start)
    options = SearchOptions(trials, minutes, workers, accept_changes, past)
    bound = open_study(study)
    shown = choose_display(quiet, verbose=verbose)
    if dry_run:
        _dry_run(bound, options, shown, timed=timed, as_json=as_json)
        return
    result = run_search(
        bound,
        study.read_text(encoding="utf-8-sig"),
        prepare_data,
        options,
        display=shown,
        workers=kind,
        address=address,
    )
    if as_json:
        echo_json(result.as_dict())
    else:
        click.echo("\n".join(result.lines()))


def _dry_run(
    bound: "BoundStudy",
    options: "SearchOptions",
    display: "Display",
    *,
    timed: bool,
    as_json: bool,
) -> None:
    from autoqa.data import prepare_data
    from autoqa.searching.dry_run import plan_search

    plan = plan_search(bound, prepare_data, options, timed=timed, display=display)
    echo_json(asdict(plan)) if as_json else click.echo("\n".join(plan.lines()))
    plan.check()
