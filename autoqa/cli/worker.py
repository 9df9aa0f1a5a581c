"""``autoqa worker``: train for a search that another process began."""

from pathlib import Path

import click

from autoqa.cli.terminal import quiet_or_verbose


@click.command()
@click.argument("study")
@click.option(
    "--storage",
    metavar="URL",
    help="The study's database, where STUDY is a name that nobody has searched on this machine.",
)
@click.option("--workers", type=click.IntRange(min=1), help="In place of [search].workers.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="A time limit of its own, in place of the search's.",
)
@quiet_or_verbose
def worker(
    study: str,
    storage: str | None,
    workers: int | None,
    minutes: float | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Train for the search of STUDY, a name or a study file, from any terminal or machine.

    It waits for the search to begin, takes trials as the search's own workers do, and ends when
    the search has all of its trials. All machines need the same code and data, the same database
    ([search] storage) and one place for files: a URL ([search] files), or a run folder that they
    share (AUTOQA_HOME). Where the process that began the search dies, those that joined go on, and
    make its soups at the end.
    """
    from autoqa.analysis.finished_run import known_study
    from autoqa.config import load_study
    from autoqa.data import prepare_data
    from autoqa.registry import open_study
    from autoqa.searching.join import join_search
    from autoqa.store.study_elsewhere import fetch_study
    from autoqa.supervision.display_choice import choose_display

    if study.endswith(".toml"):
        path = Path(study)
        storage = storage or load_study(path, frozen=True).search.storage
    else:
        path = known_study(study) if storage is None else fetch_study(study, storage)
    result = join_search(
        open_study(path),
        prepare_data,
        storage=storage,
        workers=workers,
        minutes=minutes,
        display=choose_display(quiet, verbose=verbose),
    )
    trials = "1 trial" if result.finished == 1 else f"{result.finished} trials"
    click.echo(f"{result.ended}. {trials} finished here.")
