"""``autoqa dashboard``: a study in Optuna's dashboard."""

import click


@click.command()
@click.argument("study")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8081,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--storage",
    metavar="URL",
    help="The study's database, where STUDY is a name that nobody has searched on this machine.",
)
def dashboard(study: str, host: str, port: int, no_browser: bool, storage: str | None) -> None:
    """Show STUDY in Optuna's dashboard, until Ctrl-C.

    STUDY is the name of a study or its file; it may be searched meanwhile. Beside Optuna's own
    plots there are a note on the study, a note with the recipe card on each trial, the history
    with the ladder's best, learning curves, scores over time, what helped, and files: curves and
    answers to public questions. Nothing is written but what you write there, and tables of an
    earlier autoqa are brought up to date. Anyone who reaches the address can read it.
    """
    from autoqa.bundle.server import listen
    from autoqa.dashboard.server import opened_pages, require_package, serve
    from autoqa.upkeep.study_place import find_study

    require_package()
    place = find_study(study, storage).up_to_date()
    with listen(host, port) as listener, opened_pages(place) as pages:
        shown = f"[{host}]" if ":" in host else host
        number = pages.storage.get_study_id_from_name(pages.run.study.name)
        address = f"http://{shown}:{listener.getsockname()[1]}/dashboard/studies/{number}"
        click.echo(f"study {pages.run.study.name}: {address} (Ctrl-C ends)", err=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(address)
        serve(pages, listener)
