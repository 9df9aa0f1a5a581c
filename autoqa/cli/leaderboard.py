"""``autoqa leaderboard``: the candidates of a study, best first."""

from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.store.records import CandidateRecord


@click.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def leaderboard(study: str, as_json: bool) -> None:
    """Show the candidates of STUDY, the name of a study or its file.

    Scores are those of the public validation part, with half the width of their 95 % interval.
    Differences smaller than that say little about which candidate is better.
    """
    from autoqa.export.run import open_run

    run = open_run(study)
    name, folder = run.study.name, run.folder
    with run.store as store:
        ranked = sorted(store.candidates(), key=lambda each: (-each.jaccard, each.id))
        openings = len(store.openings())
    questions = len(folder.load_examples("public"))
    if as_json:
        echo_json(
            {
                "study": name,
                "public_questions": questions,
                "private_openings": openings,
                "candidates": [_row(record) for record in ranked],
            }
        )
        return
    if ranked:
        data_console().print(_table(ranked))
    click.echo(
        f"{len(ranked)} candidates of study {name}, scored on {questions} public questions; "
        f"the private part was opened {openings} times."
    )


def _row(record: "CandidateRecord") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(record)


def _table(ranked: "list[CandidateRecord]") -> "Table":
    from rich import box
    from rich.table import Table

    languages = sorted({key for record in ranked for key in record.jaccard_by_language})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("candidate")
    table.add_column("backbone")
    for heading in ("jaccard", "±", "em", "f1", *languages, "win/s"):
        table.add_column(heading, justify="right")
    table.add_column("recipe")
    for record in ranked:
        half = record.jaccard_half_width
        scores = [record.jaccard_by_language.get(language) for language in languages]
        table.add_row(
            record.id,
            record.backbone,
            f"{record.jaccard:.3f}",
            "–" if half is None else f"{half:.3f}",
            f"{record.em:.3f}",
            f"{record.f1:.3f}",
            *("–" if score is None else f"{score:.3f}" for score in scores),
            f"{record.windows_per_second:.0f}",
            record.recipe_hash,
        )
    return table
