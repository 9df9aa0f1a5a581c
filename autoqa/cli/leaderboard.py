"""``autoqa leaderboard``: the candidates of a study, best first, and what may be said of them."""

from typing import TYPE_CHECKING, Any

import click

from autoqa.cli.terminal import data_console, echo_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from autoqa.export.board import Board
    from autoqa.leaderboard.agreement import Agreement
    from autoqa.leaderboard.bootstrap import Comparison
    from autoqa.store.externals import ExternalScore


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def show(study: str, compare: tuple[str, str] | None, as_json: bool) -> None:
    """Show the candidates of STUDY, the name of a study or its file.

    Scores are those of the public validation part, with half the width of their 95 % interval.
    The arrow marks the best by the ladder rule: it moves only for a gain of more than one standard
    error. P(better) is how likely a candidate is better than that one, by paired bootstrap of
    documents. The last line states the best's score with an interval that accounts for how often
    the public part has been read.
    """
    from autoqa.export.board import build_board
    from autoqa.export.run import open_run

    run = open_run(study)
    with run.store as store:
        if compare is not None:
            _compare(*compare, run, as_json)
            return
        board = build_board(run)
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
                **_objects(board, externals),
            }
        )
        return
    if board.ranked:
        data_console().print(_table(board, externals))
    click.echo("\n".join(_sentences(run.study.name, board, fingerprint, openings)))
    for line in _outside(board, externals):
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
    from autoqa.export.outside import add_external as add
    from autoqa.export.run import open_run

    run = open_run(study)
    with run.store:
        subject, public = add(run, candidate, score, board, note)
    click.echo(f"{subject}: {score:.3f} on {board}, {public:.3f} on the own public part")


def _compare(first: str, second: str, run: Any, as_json: bool) -> None:
    from dataclasses import asdict

    from autoqa.export.board import compare

    found, examples = compare(run, first, second)
    documents = len({example.document for example in examples})
    if as_json:
        about = {"first": first, "second": second, "questions": len(examples)}
        echo_json({**about, "documents": documents, **asdict(found)})
        return
    click.echo(
        f"{first} gains {found.gain:+.4f} on {second} (95 % {found.low:+.4f} to {found.high:+.4f}, "
        f"P(better) {found.p_better:.3f}), on {len(examples)} public questions about {documents} "
        "documents."
    )


def _objects(board: "Board", externals: "Sequence[ExternalScore]") -> dict[str, Any]:
    from dataclasses import asdict

    from autoqa.export.outside import predictions

    best = board.best
    rivals: Mapping[str, Comparison] = best.rivals if best else {}
    return {
        "best": None if best is None else {"id": best.id, **asdict(best.said)},
        "candidates": [
            {
                "rank": rank,
                **asdict(record),
                "best": best is not None and record.id == best.id,
                "against_best": asdict(rivals[record.id]) if record.id in rivals else None,
            }
            for rank, record in enumerate(board.ranked, start=1)
        ],
        "externals": [
            {**asdict(each), "added": each.added.isoformat(timespec="seconds")}
            for each in externals
        ],
        "predictions": {name: asdict(found) for name, found in predictions(externals).items()},
    }


def _table(board: "Board", externals: "Sequence[ExternalScore]") -> "Table":
    from rich import box
    from rich.table import Table

    languages = sorted({key for record in board.ranked for key in record.jaccard_by_language})
    outside = {(each.board, each.subject): each.score for each in externals}
    boards = list(dict.fromkeys(each.board for each in externals))
    best, rivals = (board.best.id, board.best.rivals) if board.best else (None, {})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("#", justify="right")
    table.add_column("candidate")
    table.add_column("backbone")
    numbers = ("jaccard", "±", "em", "f1", *languages, "gain", "P(better)", *boards, "win/s")
    for heading in numbers:
        table.add_column(heading, justify="right")
    table.add_column("recipe")
    for rank, record in enumerate(board.ranked, start=1):
        gain = rivals.get(record.id)
        table.add_row(
            "→" if record.id == best else "",
            str(rank),
            record.id,
            record.backbone,
            f"{record.jaccard:.3f}",
            _number(record.jaccard_half_width),
            f"{record.em:.3f}",
            f"{record.f1:.3f}",
            *(_number(record.jaccard_by_language.get(language)) for language in languages),
            "–" if gain is None else f"{gain.gain:+.3f}",
            "–" if gain is None else f"{gain.p_better:.2f}",
            *(_number(outside.get((name, record.id))) for name in boards),
            f"{record.windows_per_second:.0f}",
            record.recipe_hash,
        )
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sentences(study: str, board: "Board", fingerprint: str | None, openings: int) -> list[str]:
    mark = f" (validation set {fingerprint})" if fingerprint else ""
    lines = [
        f"{len(board.ranked)} candidates of study {study}, scored on {len(board.examples)} public "
        f"questions about {len(set(board.documents))} documents{mark}; "
        f"the private part was opened {openings} time{'' if openings == 1 else 's'}."
    ]
    absent = len(board.ranked) - len(board.tried)
    if absent:
        lines.append(f"Without predictions on this machine, and not compared: {absent}.")
    if board.best is None:
        return lines
    said = board.best.said
    kinds = ", ".join(
        f"{count} {kind if count > 1 else kind.removesuffix('s')}"
        for kind, count in board.reads.items()
    )
    lines.append(
        f"Best by the ladder: {board.best.id}, {said.public:.3f} on the public part. After "
        f"{said.reads} reads ({kinds}) this is worth {said.score:.3f} ± {said.half_width:.3f}: "
        + (
            f"{said.contenders} candidates are in contention, and the luckiest of so many is about "
            f"{said.public - said.score:.3f} too high."
            if said.contenders > 1
            else "nothing else is in contention."
        )
    )
    return lines


def _outside(board: "Board", externals: "Sequence[ExternalScore]") -> list[str]:
    """Scores from outside that stand in no row, and what all of them say of the public part."""
    from autoqa.export.outside import predictions
    from autoqa.leaderboard.agreement import FEWEST

    if not externals:
        return []
    known = {record.id for record in board.ranked}
    lines = [
        f"{each.board}: {each.score:.3f} for {each.subject} (own public part {each.public:.3f})."
        for each in externals
        if each.subject not in known
    ]
    found = predictions(externals)
    lines += [_prediction(name, agreement) for name, agreement in found.items()]
    few = sorted({each.board for each in externals} - found.keys())
    if few:
        lines.append(
            f"How well the public part predicts {', '.join(few)} is said from {FEWEST} different "
            "scores on."
        )
    return lines


def _prediction(name: str, found: "Agreement") -> str:
    offset = found.offset
    linear, order = (
        "unknown"
        if each is None
        else f"{each.mean:+.2f} (95 % {each.low:+.2f} to {each.high:+.2f})"
        for each in (found.pearson, found.spearman)
    )
    return (
        f"{name}: {found.pairs} scores; correlation with the public part {linear}, of ranks "
        f"{order}; on average {offset.mean:+.3f} off it (95 % {offset.low:+.3f} to "
        f"{offset.high:+.3f})."
    )
