"""``autoqa select``: which candidates make the ensemble, and why."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.ensemble.selection import Rule, Selection


@click.command()
@click.argument("study")
@click.option("--seats", type=click.IntRange(min=1), help="Most members; else as the study says.")
@click.option(
    "--rule",
    type=click.Choice(["interval", "mean"]),
    help="interval: the simpler ensemble wins unless the gain's 95 % interval excludes zero; "
    "mean: the higher mean wins. Else as the study says.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of tables.")
def select(study: str, seats: int | None, rule: "Rule | None", as_json: bool) -> None:
    """Choose a small, diverse ensemble among the candidates of STUDY.

    STUDY is the name of a study or its file. Only stored predictions of the public part of the
    validation set are used. The choice is kept for `autoqa export`.
    """
    from autoqa.export.run import open_run
    from autoqa.export.selecting import choose

    selection = choose(open_run(study), seats=seats, rule=rule)
    if as_json:
        click.echo(selection.to_json(), nl=False)
        return
    console = data_console()
    console.print(_members(selection))
    console.print(_alternatives(selection))
    click.echo(selection.verdict)


def _members(selection: "Selection") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("member", "group"):
        table.add_column(header, no_wrap=True)
    table.add_column("seats", justify="right")
    table.add_column("why it is in", overflow="fold")
    for seat in selection.members:
        group = f"{seat.group} (best)" if seat.group == selection.best else seat.group
        table.add_row(seat.id, group, f"{seat.weight:g}", seat.reason)
    return table


def _alternatives(selection: "Selection") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("ensemble")
    for header in ("models", "public jaccard", "out of bag", "gain", "95 %"):
        table.add_column(header, justify="right")
    for other in selection.alternatives:
        gain = other.gain
        table.add_row(
            "→" if other.kind == selection.chosen else "",
            other.kind + ("" if other.allowed else " (too many seats)"),
            str(len(other.members)),
            f"{other.public.mean:.3f} ± {other.public.half_width:.3f}",
            "–" if other.out_of_bag is None else f"{other.out_of_bag:.3f}",
            "–" if gain is None else f"{gain.gain:+.3f}",
            "–" if gain is None else f"{gain.low:+.3f} to {gain.high:+.3f}",
        )
    return table
