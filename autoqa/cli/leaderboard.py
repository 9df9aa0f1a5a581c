"""``autoqa leaderboard``: the candidates of a study, best first, and what may be said of them."""

from typing import Any

import click

from autoqa.cli.terminal import data_console, echo_json, wide_option
from autoqa.report.leaderboard import as_objects, external_sentences, leaderboard_table, sentences


class _ShowsByDefault(click.Group):
    """A group whose first argument may be left out: ``leaderboard STUDY`` shows it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts ``show`` in front of what is no command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ShowsByDefault)
def leaderboard() -> None:
    """Show the candidates of a study, or add scores from elsewhere.

    `autoqa leaderboard STUDY` is short for `autoqa leaderboard show STUDY`.
    """


@leaderboard.command()
@click.argument("study")
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Compare two candidates, question by question; counts as a read of the public part.",
)
@click.option("--metric", help="Rank and compare by this metric, not by the study's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@wide_option
def show(study: str, compare: tuple[str, str] | None, metric: str | None, as_json: bool) -> None:
    """Show the candidates of STUDY, the name of a study or its file.

    Scores are those of the public validation part, with half the width of their 95 % interval.
    The arrow marks the best by the ladder rule: it moves only for a gain of more than one standard
    error. P(better) is how likely a candidate is better than that one, by paired bootstrap of
    documents. The last line states the best's score with an interval that accounts for how often
    the public part has been read.
    """
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.leaderboard import build_leaderboard

    run = open_run(study)
    with run.store as store:
        if compare is not None:
            _compare(*compare, run, metric, as_json)
            return
        board = build_leaderboard(run, metric)
        externals, openings = store.externals(), len(store.openings())
        fingerprint = store.validation_fingerprint()
    if as_json:
        documents = len(set(board.documents))
        echo_json(
            {
                "study": run.study.name,
                "validation": fingerprint,
                "public_questions": len(board.examples),
                "public_documents": documents,
                "public_reads": {**board.reads, "total": sum(board.reads.values())},
                "private_openings": openings,
                **as_objects(board, externals),
            }
        )
        return
    if board.ranked:
        data_console().print(leaderboard_table(board, externals))
    click.echo("\n".join(sentences(run.study.name, board, fingerprint, openings)))
    for line in external_sentences(board, externals):
        click.echo(line)


@leaderboard.command(name="add-external")
@click.argument("study")
@click.argument("candidate", metavar="CANDIDATE_OR_BUNDLE")
@click.argument("score", type=float)
@click.option("--board", required=True, help="The leaderboard it was measured on: kaggle-public.")
@click.option("--note", default="", help="Anything to remember.")
def add_external(study: str, candidate: str, score: float, board: str, note: str) -> None:
    """Write down what a candidate of STUDY scored elsewhere.

    CANDIDATE_OR_BUNDLE is a candidate's id, the word selection, or a bundle's folder. SCORE is
    between 0 and 1. `autoqa leaderboard STUDY` shows the scores; with five or more it says how
    well the public part predicts them.
    """
    from autoqa.analysis.external_scores import add_external as add
    from autoqa.analysis.finished_run import open_run

    run = open_run(study)
    with run.store:
        subject, public = add(run, candidate, score, board, note)
    click.echo(f"{subject}: {score:.3f} on {board}, {public:.3f} on the own public part")


def _compare(first: str, second: str, run: Any, metric: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from autoqa.analysis.leaderboard import compare

    gain, examples = compare(run, first, second, metric)
    documents = len({example.document for example in examples})
    if as_json:
        about = {"first": first, "second": second, "questions": len(examples)}
        echo_json({**about, "documents": documents, **asdict(gain)})
        return
    click.echo(
        f"{first} gains {gain.gain:+.4f} on {second} (95 % {gain.low:+.4f} to {gain.high:+.4f}, "
        f"P(better) {gain.p_better:.3f}), on {len(examples)} public questions about {documents} "
        "documents."
    )
