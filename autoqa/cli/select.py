"""``autoqa select``: which candidates make the ensemble, and why."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.export.choice import Choice, Rule


@click.command()
@click.argument("study")
@click.option("--seats", type=click.IntRange(min=1), help="Most members; else as the study says.")
@click.option(
    "--rule",
    type=click.Choice(["interval", "mean"]),
    default="interval",
    show_default=True,
    help="interval: the simpler ensemble wins unless the gain's 95 % interval excludes zero; "
    "mean: the higher mean wins.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of tables.")
def select(study: str, seats: int | None, rule: "Rule", as_json: bool) -> None:
    """Choose a small, diverse ensemble among the candidates of STUDY.

    STUDY is the name of a study or its file. Only stored predictions of the public part of the
    validation set are used. The choice is kept for `autoqa export`.
    """
    from dataclasses import asdict

    from autoqa.export.choice import save_choice
    from autoqa.export.run import open_run
    from autoqa.export.selecting import choose

    run = open_run(study)
    choice = choose(run, run.candidates(), seats=seats, rule=rule)
    save_choice(run, choice)
    if as_json:
        echo_json(asdict(choice))
        return
    console = data_console()
    console.print(_members(choice))
    console.print(_alternatives(choice))
    click.echo(choice.verdict)


def _members(choice: "Choice") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("member", "group"):
        table.add_column(header, no_wrap=True)
    table.add_column("weight", justify="right")
    table.add_column("why it is in", overflow="fold")
    for seat in choice.members:
        group = f"{seat.group} (best)" if seat.group == choice.best else seat.group
        table.add_row(seat.id, group, f"{seat.weight:g}", seat.reason)
    return table


def _alternatives(choice: "Choice") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("ensemble", overflow="fold")
    table.add_column("models", justify="right")
    table.add_column("public jaccard", justify="right")
    for other in choice.alternatives:
        half = (other.high - other.low) / 2
        mark = "→" if other.chosen else ""
        score = f"{other.jaccard:.3f} ± {half:.3f}"
        table.add_row(mark, other.name, str(len(other.members)), score)
    return table
