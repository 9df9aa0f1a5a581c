"""``autoqa soup``: candidates whose weights are averages of other candidates'."""

import click


@click.command()
@click.argument("study")
@click.argument("candidates", nargs=-1, metavar="[CANDIDATE]...")
@click.option("--quiet", is_flag=True, help="Show the result only.")
def soup(study: str, candidates: tuple[str, ...], quiet: bool) -> None:
    """Average the weights of STUDY's candidates: of CANDIDATEs, else in all the standard ways.

    The mean of several models' weights is one model, made without training and often better than
    each of them. It becomes a candidate as others are: scored, selected, exported. The standard
    soups of each backbone are those of all its candidates, of the ends of runs, of each run's
    snapshots, of all but one, and of those that raise the public score one after the other.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.scores.registry import title
    from autoqa.searching.soups import soup as make
    from autoqa.supervision.display_choice import choose_display

    run = open_run(study)
    with run.store as store:
        made = make(run.folder, store, candidates, choose_display(quiet))
    for record in made:
        click.echo(
            f"{record.id}: mean of {len(record.ingredients)} candidates' weights, "
            f"public {title(record.metric)} {record.score:.3f}"
        )
    if not made:
        click.echo("these soups are there" if candidates else "no soup is new")
