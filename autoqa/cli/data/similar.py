"""``autoqa data similar``: what a similarity filter keeps and what it drops."""

from pathlib import Path

import click

from autoqa.cli.terminal import data_console, echo_json


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--source", required=True, help="The source to judge.")
@click.option(
    "--target", help="The source that it should look like; left out, [recipe] target of the study."
)
@click.option(
    "--share",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the rows that is kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every row's score.")
def similar(study: Path, source: str, target: str | None, share: float, as_json: bool) -> None:
    """Show which rows of a source of the study file STUDY ask like its target does.

    A portion with `similar = 0.3` draws from the 0.3 of its source that is shown as kept. Every
    row is judged by a classifier that has not seen it; the area under the curve says how well the
    two sources can be told apart (.5 not at all, 1 always).
    """
    from dataclasses import replace

    import numpy as np

    from autoqa.data import prepare_data
    from autoqa.errors import ConfigError, did_you_mean
    from autoqa.registry import open_study
    from autoqa.report import similarity

    bound = open_study(study)
    target = target or bound.study.recipe.target
    if target is None:
        raise ConfigError(f"{study}: recipe.target names no source; name one with --target")
    data = prepare_data(bound)
    for option, name in (("--source", source), ("--target", target)):
        if name not in data.train:
            hint = did_you_mean(name, data.train) or f"; there are: {', '.join(data.train)}"
            raise ConfigError(f"{option} {name!r}: the recipe trains on no such source{hint}")
    rows = data.train[source]
    likeness = replace(data, target=target).likeness(source)
    selected = likeness.top(share, np.arange(len(rows))).tolist()
    if as_json:
        echo_json(similarity.as_objects(rows, likeness, selected))
        return
    click.echo(similarity.summary(likeness, selected, target))
    for examples in similarity.example_tables(rows, likeness, len(selected)):
        data_console().print(examples)
