"""``autoqa select``: which candidates make the ensemble, and why."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json, warn, wide_option

if TYPE_CHECKING:
    from autoqa.ensemble.choosing.selection import DecisionRule


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
    type=click.Choice(["shrinkage", "interval", "mean"]),
    help="shrinkage: the equal mean of comparable candidates wins unless prior and evidence "
    "together expect more of another; interval: the simpler ensemble wins unless the gain's 95 % "
    "interval excludes zero; mean: the higher mean wins. Else as the study says.",
)
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Show what each member's removal would cost, and how much members disagree.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of tables.")
@wide_option
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
    from autoqa.report import selection as report

    run = open_run(study)
    chooser = selector(run, seats=seats, quota=quota, seconds=seconds)
    selection = choose(run, chooser, rule)
    explanation = chooser.explain(selection) if explained else None
    if as_json:
        added = {} if explanation is None else {"explanation": asdict(explanation)}
        echo_json(json.loads(selection.to_json()) | added)
        return
    console = data_console()
    for name, pick in report.named_picks(selection).items():
        click.echo(f"pick {name}: {pick.chosen}, public {pick.public.mean:.3f}")
        console.print(report.members_table(pick))
    console.print(report.alternatives_table(selection))
    click.echo(selection.verdict)
    for note in selection.notes:
        warn(note)
    if explanation is not None:
        for part in report.explanation_parts(explanation):
            console.print(part)
