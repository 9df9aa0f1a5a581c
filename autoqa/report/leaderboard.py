"""The leaderboard as a table, as sentences and as JSON."""

from typing import TYPE_CHECKING, Any

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from autoqa.analysis.leaderboard import Leaderboard
    from autoqa.scores.bootstrap import Comparison
    from autoqa.scores.correlation import Agreement
    from autoqa.store.candidate_record import CandidateRecord
    from autoqa.store.external_scores import ExternalScore


def as_objects(board: "Leaderboard", externals: "Sequence[ExternalScore]") -> dict[str, Any]:
    """What ``autoqa leaderboard --json`` prints."""
    from dataclasses import asdict

    from autoqa.analysis.external_scores import predictions

    best = board.best
    rivals: Mapping[str, Comparison] = best.rivals if best else {}
    return {
        "metric": board.metric,
        "best": None if best is None else {"id": best.id, **asdict(best.statement)},
        "candidates": [
            {
                "rank": rank,
                **record.as_flat(),
                "best": best is not None and record.id == best.id,
                "against_best": asdict(rivals[record.id]) if record.id in rivals else None,
            }
            for rank, record in enumerate(board.ranked, start=1)
        ],
        "externals": [
            {**asdict(each), "added": each.added.isoformat(timespec="seconds")}
            for each in externals
        ],
        "predictions": {
            name: asdict(agreement) for name, agreement in predictions(externals).items()
        },
    }


def leaderboard_table(board: "Leaderboard", externals: "Sequence[ExternalScore]") -> "Table":
    """One row per candidate, best first; the arrow marks the best by the ladder."""
    from autoqa.scores.registry import further_metrics

    further = [metric.name for metric in further_metrics(board.metric, wide=False)]
    languages = sorted({key for record in board.ranked for key in record.by_language})
    outside = {(each.board, each.subject): each.score for each in externals}
    boards = list(dict.fromkeys(each.board for each in externals))
    best, rivals = (board.best.id, board.best.rivals) if board.best else (None, {})
    shown = table(
        "",
        *numbers("#"),
        "candidate",
        "backbone",
        *numbers(board.metric, "±", *further, *languages, "gain", "P(better)", *boards, "win/s"),
        "recipe",
        spare=("recipe", "win/s", *further, *languages, "backbone", *boards, "P(better)", "gain"),
    )
    for rank, record in enumerate(board.ranked, start=1):
        gain = rivals.get(record.id)
        shown.add_row(
            "→" if record.id == best else "",
            str(rank),
            record.id,
            record.backbone,
            _number(record.score),
            _number(record.half_width),
            *(_number(record.scores.get(name)) for name in further),
            *(_number(record.by_language.get(language)) for language in languages),
            "–" if gain is None else f"{gain.gain:+.3f}",
            "–" if gain is None else f"{gain.p_better:.2f}",
            *(_number(outside.get((name, record.id))) for name in boards),
            f"{record.windows_per_second:.0f}",
            _origin(record),
        )
    return shown


def _origin(record: "CandidateRecord") -> str:
    if record.ingredients:
        return f"mean of {len(record.ingredients)}"
    if record.teachers:
        return f"taught by {len(set(record.teachers))}"
    begun = len(record.begins_with)
    return f"{record.recipe_hash} on mean of {begun}" if begun else record.recipe_hash


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def sentences(
    study: str, board: "Leaderboard", fingerprint: str | None, openings: int
) -> list[str]:
    """What was scored on what, and what the best score is worth.

    Args:
        study: Name of the study.
        board: Its leaderboard.
        fingerprint: Of the validation set, where one is kept.
        openings: How often the private part was opened.
    """
    mark = f" (validation set {fingerprint})" if fingerprint else ""
    lines = [
        f"{len(board.ranked)} candidates of study {study}, scored on {len(board.examples)} public "
        f"questions about {len(set(board.documents))} documents{mark}; "
        f"the private part was opened {openings} time{'' if openings == 1 else 's'}."
    ]
    absent = len(board.ranked) - len(board.compared)
    if absent:
        lines.append(f"Without predictions on this machine, and not compared: {absent}.")
    if board.best is None:
        return lines
    stated = board.best.statement
    kinds = ", ".join(
        f"{count} {kind if count > 1 else kind.removesuffix('s')}"
        for kind, count in board.reads.items()
    )
    lines.append(
        f"Best by the ladder: {board.best.id}, {stated.public:.3f} on the public part. After "
        f"{stated.reads} reads ({kinds}) this is worth {stated.score:.3f} ± "
        f"{stated.half_width:.3f}: "
        + (
            f"{stated.contenders} candidates are in contention, and the luckiest of so many is "
            f"about {stated.public - stated.score:.3f} too high."
            if stated.contenders > 1
            else "nothing else is in contention."
        )
    )
    return lines


def external_sentences(board: "Leaderboard", externals: "Sequence[ExternalScore]") -> list[str]:
    """Scores from outside that stand in no row, and what all of them say of the public part."""
    from autoqa.analysis.external_scores import predictions
    from autoqa.scores.correlation import FEWEST

    if not externals:
        return []
    known = {record.id for record in board.ranked}
    lines = [
        f"{each.board}: {each.score:.3f} for {each.subject} (own public part {each.public:.3f})."
        for each in externals
        if each.subject not in known
    ]
    agreements = predictions(externals)
    lines += [prediction_sentence(name, agreement) for name, agreement in agreements.items()]
    few = sorted({each.board for each in externals} - agreements.keys())
    if few:
        lines.append(
            f"How well the public part predicts {', '.join(few)} is said from {FEWEST} different "
            "scores on."
        )
    return lines


def prediction_sentence(name: str, agreement: "Agreement") -> str:
    """How well the public part predicts one external leaderboard."""
    offset = agreement.offset
    linear, order = (
        "unknown"
        if each is None
        else f"{each.mean:+.2f} (95 % {each.low:+.2f} to {each.high:+.2f})"
        for each in (agreement.pearson, agreement.spearman)
    )
    return (
        f"{name}: {agreement.pairs} scores; correlation with the public part {linear}, of ranks "
        f"{order}; on average {offset.mean:+.3f} off it (95 % {offset.low:+.3f} to "
        f"{offset.high:+.3f})."
    )
