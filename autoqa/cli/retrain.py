"""``autoqa retrain``: weights that were dropped, and damaged files, made again."""

import click


@click.command()
@click.argument("study")
@click.argument("candidates", nargs=-1, metavar="[CANDIDATE]...")
@click.option("--quiet", is_flag=True, help="Show the result only.")
def retrain(study: str, candidates: tuple[str, ...], quiet: bool) -> None:
    """Make dropped weights of STUDY again: those of CANDIDATEs, else of the selection.

    A search keeps all predictions, and weights within [search] weights. The run that a candidate
    came from is repeated up to its point, a soup is averaged again; the weights are taken if they
    are the same to the last bit. Damaged weights and predictions are made again in the same way.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.selection import stored_selection
    from autoqa.scores.registry import title
    from autoqa.searching.retrain import retrain as make_again
    from autoqa.supervision.display_choice import choose_display

    run = open_run(study)
    names = list(candidates)
    if not names:
        selection = stored_selection(run)
        if selection is None:
            raise click.UsageError(
                f"the study has no selection of the candidates it has now: name candidates, or "
                f"run `autoqa select {run.study.name}` first"
            )
        names = [seat.id for seat in selection.members]
    made = make_again(run.folder, run.store, names, choose_display(quiet))
    for each in made:
        how = "averaged" if each.averaged else "trained"
        click.echo(f"{each.id}: {how} again, public {title(each.metric)} {each.score:.3f}")
    if not made:
        click.echo(f"the weights of {', '.join(names)} are there")
