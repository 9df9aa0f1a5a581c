"""``autoqa select``: which candidates make the ensemble, and why."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json, warn

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.ensemble.choosing.selection import DecisionRule, Pick, Selection


@click.command()
@click.argument("study")
@click.option("--seats", type=click.IntRange(min=1), help="Most members; else as the study says.")
@click.option(
    "--quota",
    type=click.IntRange(min=1),
    help="Fewest seats of a group that is seated at all; else as the study says.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Most seconds for 1,000 questions, as measured in the search; else as the study says.",
)
@click.option(
    "--rule",
    type=click.Choice(["interval", "mean"]),
    help="interval: the simpler ensemble wins unless the gain's 95 % interval excludes zero; "
    "mean: the higher mean wins. Else as the study says.",
)
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Show what each member's removal would cost, and how much members disagree.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of tables.")
def select(
    study: str,
    seats: int | None,
    quota: int | None,
    seconds: float | None,
    rule: "DecisionRule | None",
    explained: bool,
    as_json: bool,
) -> None:
    """Choose a small, diverse ensemble among the candidates of STUDY.

    STUDY is the name of a study or its file. Only stored predictions of the public part of the
    validation set are used. Two picks are kept for `autoqa export`: the safe one, which the rule
    chose by documents that had no say, and the one with the best public score.
    """
    import json
    from dataclasses import asdict

    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.selection import choose, selector
    from autoqa.report.selection import show

    run = open_run(study)
    among = selector(run, seats=seats, quota=quota, seconds=seconds)
    selection = choose(run, among, rule)
    explanation = among.explain(selection) if explained else None
    if as_json:
        more = {} if explanation is None else {"explanation": asdict(explanation)}
        echo_json(json.loads(selection.to_json()) | more)
        return
    console = data_console()
    picks = {"safe": selection.pick("safe"), "best": selection.pick("best")}
    if picks["safe"].chosen == picks["best"].chosen:
        picks = {"safe and best": picks["safe"]}
    for name, pick in picks.items():
        click.echo(f"pick {name}: {pick.chosen}, public {pick.public.mean:.3f}")
        console.print(_members(pick))
    console.print(_alternatives(selection))
    click.echo(selection.verdict)
    for note in selection.notes:
        warn(note)
    if explanation is not None:
        show(explanation, console)


def _members(pick: "Pick") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("member", "group"):
        table.add_column(header, no_wrap=True)
    table.add_column("seats", justify="right")
    table.add_column("why it is in", overflow="fold")
    for seat in pick.members:
        group = f"{seat.group} (best)" if seat.group == pick.tie_group else seat.group
        table.add_row(seat.id, group, f"{seat.weight:g}", seat.reason)
    return table


def _alternatives(selection: "Selection") -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("pick")
    table.add_column("ensemble")
    for header in ("models", "s/1,000", "public jaccard", "out of bag", "gain", "95 %"):
        table.add_column(header, justify="right")
    for other in selection.alternatives:
        gain = other.gain
        safe = "safe" if selection.chosen == other.kind else ""
        best = "best" if selection.best_public.chosen == other.kind else ""
        table.add_row(
            f"{safe} {best}".strip(),
            other.kind + ("" if other.allowed else " (beyond the limits)"),
            str(len(other.members)),
            f"{other.seconds:.0f}",
            f"{other.public.mean:.3f} ± {other.public.half_width:.3f}",
            "–" if other.out_of_bag is None else f"{other.out_of_bag:.3f}",
            "–" if gain is None else f"{gain.gain:+.3f}",
            "–" if gain is None else f"{gain.low:+.3f} to {gain.high:+.3f}",
        )
    return table
