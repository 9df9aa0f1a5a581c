"""``autoqa data similar``: what a similarity filter keeps and what it drops."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoqa.data.similarity import Likeness
    from autoqa.types import Example

_SHOWN = 10


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

    bound = open_study(study)
    wanted = target or bound.study.recipe.target
    if wanted is None:
        raise ConfigError(f"{study}: recipe.target names no source; name one with --target")
    data = prepare_data(bound)
    for option, name in (("--source", source), ("--target", wanted)):
        if name not in data.train:
            hint = did_you_mean(name, data.train) or f"; there are: {', '.join(data.train)}"
            raise ConfigError(f"{option} {name!r}: the recipe trains on no such source{hint}")
    rows = data.train[source]
    found = replace(data, target=wanted).likeness(source)
    kept = found.top(share, np.arange(len(rows)))
    if as_json:
        echo_json(_object(rows, found, kept.tolist()))
    else:
        _show(rows, found, kept.tolist(), wanted)


def _object(rows: "Sequence[Example]", found: "Likeness", kept: "Sequence[int]") -> dict[str, Any]:
    chosen = set(kept)
    return {
        "auc": found.auc,
        "rows": len(rows),
        "kept": len(kept),
        "scores": [
            {"id": one.id, "language": one.language, "score": score, "kept": place in chosen}
            for place, (one, score) in enumerate(zip(rows, found.scores.tolist(), strict=True))
        ],
    }


def _show(rows: "Sequence[Example]", found: "Likeness", kept: "Sequence[int]", target: str) -> None:
    from rich import box
    from rich.table import Table

    order = (-found.scores).argsort(kind="stable").tolist()
    cut = float(found.scores[list(kept)].min())
    click.echo(
        f"{len(kept)} of {len(rows)} rows are kept, those with a score of {cut:.2f} and more; the "
        f"area under the curve between them and {target!r} is {found.auc:.2f}."
    )
    for title, places in (
        ("most like the target's", order[:_SHOWN]),
        ("at the cut", order[max(0, len(kept) - _SHOWN // 2) : len(kept) + _SHOWN // 2]),
        ("least like the target's", order[-_SHOWN:]),
    ):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
        table.add_column("score", justify="right")
        for heading in ("language", "question", "answer"):
            table.add_column(heading)
        for place in places:
            one = rows[place]
            answer = one.answers[0].text if one.answers else "–"
            score = f"{found.scores[place]:.2f}"
            table.add_row(score, one.language, one.question.strip()[:80], answer[:40])
        data_console().print(table)
