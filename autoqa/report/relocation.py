"""Moved answers as text, a histogram of confidence and JSON."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoqa.placing.occurrences import excerpt
from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.labels.ambiguous_answers import PlacedAnswer
    from autoqa.labels.relocation import Relocation

_SHOWN = 10
"""Moved answers that are printed."""

_LONGEST_BAR = 40
"""Width of the histogram's longest bar, in characters."""


def row_count(placed: "Sequence[PlacedAnswer]") -> int:
    """How many rows the answers belong to; translations share an id and are rows of their own."""
    return len(
        {(answer.ambiguous.example.id, answer.ambiguous.example.language) for answer in placed}
    )


def excerpts(placed: "PlacedAnswer") -> tuple[str, str]:
    """The text around the answer where the file has it, and where it was placed."""
    context, labelled = placed.ambiguous.example.context, placed.ambiguous.answer
    return (
        excerpt(context, labelled.start, labelled.end),
        excerpt(context, placed.start, placed.start + len(labelled.text)),
    )


def _bins(placed: "Sequence[PlacedAnswer]") -> list[tuple[float, int, int]]:
    """Lower end of each tenth of confidence, how many stay, how many would move."""
    tenths = [min(int(10 * answer.confidence), 9) for answer in placed]
    return [
        (
            tenth / 10,
            sum(t == tenth and not answer.moved for t, answer in zip(tenths, placed, strict=True)),
            sum(t == tenth and answer.moved for t, answer in zip(tenths, placed, strict=True)),
        )
        for tenth in range(min(tenths), 10)
    ]


def confidence_histogram(placed: "Sequence[PlacedAnswer]") -> "Table":
    """Answers by confidence, in tenths: how many stay and how many would move."""
    bins = _bins(placed)
    longest = max(stay + move for _, stay, move in bins)
    histogram = table("confidence", *numbers("stay", "move"), "")
    for low, stay, move in bins:
        bar = "█" * round(_LONGEST_BAR * (stay + move) / longest)
        histogram.add_row(f"{low:.1f} to {low + 0.1:.1f}", str(stay), str(move), bar)
    return histogram


def move_texts(relocation: "Relocation", threshold: float) -> Iterator[str]:
    """Some of the answers that move, evenly spread over confidence, three lines each."""
    moved = relocation.moves(threshold)
    for placed in moved[:: max(1, len(moved) // _SHOWN)][:_SHOWN]:
        before, after = excerpts(placed)
        example = placed.ambiguous.example
        yield (
            f"{example.id}  {placed.confidence:.2f}  {example.question}\n"
            f"  from  {before}\n  to    {after}"
        )


def sentences(
    relocation: "Relocation", threshold: float, changed: int, written: Path | None
) -> list[str]:
    """How many answers there are to place and how many move, and what to do next.

    Args:
        relocation: The placed answers.
        threshold: Confidence from which an answer moves, 0 to 1.
        changed: Rows in which an answer moves.
        written: The overlay that holds the moves; ``None`` where nothing was written.
    """
    placed = relocation.placed
    if not placed:
        settled = f" ({relocation.settled} settled by other overlays)" if relocation.settled else ""
        return [
            f"sources.{relocation.source}: none of its {relocation.rows} rows{settled} has an "
            f"answer at the first of several occurrences{_elsewhere(relocation)}; nothing is "
            "written."
        ]
    moves = relocation.moves(threshold)
    moving = len(moves)
    doubtful = sum(answer.moved for answer in placed) - moving
    unsure = f" ({doubtful} more would, but with less than {threshold:g})" if doubtful else ""
    outcome = (
        "nothing is written."
        if written is None
        else f"{written} holds them. To use it: overlays = [{str(written)!r}] below "
        f"[sources.{relocation.source}]."
    )
    return [
        f"sources.{relocation.source}: of {relocation.rows} rows, {row_count(placed)} have an "
        f"answer at the first of several occurrences; candidates were asked about "
        f"{relocation.judged} of {len(placed)} such answers{_elsewhere(relocation)}.",
        f"{moving} answers in {changed} rows move{unsure}{_doubt(moves)}; {outcome}",
    ]


def _elsewhere(relocation: "Relocation") -> str:
    count = relocation.elsewhere
    return f"; {count} more stand at a later one, and are left there" if count else ""


def expected_wrong(moves: "Sequence[PlacedAnswer]") -> float:
    """How many of some moves are wrong, as their confidences say."""
    return sum(1 - move.confidence for move in moves)


def _doubt(moves: "Sequence[PlacedAnswer]") -> str:
    if not moves:
        return ""
    return f", of which {expected_wrong(moves):.1f} are expected to be wrong"


def as_objects(relocation: "Relocation", threshold: float, written: Path | None) -> dict[str, Any]:
    """What ``autoqa data relocate --json`` prints.

    Args:
        relocation: The placed answers.
        threshold: Confidence from which an answer moves, 0 to 1.
        written: The overlay that holds the moves; ``None`` where nothing was written.
    """
    moved = [answer for answer in relocation.placed if answer.moved]
    return {
        "source": relocation.source,
        "rows": relocation.rows,
        "settled_by_other_overlays": relocation.settled,
        "rows_with_several_occurrences": row_count(relocation.placed),
        "answers": len(relocation.placed),
        "answers_at_later_occurrences": relocation.elsewhere,
        "answers_judged_by_candidates": relocation.judged,
        "threshold": threshold,
        "expected_wrong": round(expected_wrong(relocation.moves(threshold)), 4),
        "overlay": None if written is None else str(written),
        "histogram": [
            {"from": low, "stay": stay, "move": move}
            for low, stay, move in _bins(relocation.placed)
        ]
        if relocation.placed
        else [],
        "moves": [
            {
                "id": answer.ambiguous.example.id,
                "language": answer.ambiguous.example.language,
                "question": answer.ambiguous.example.question,
                "answer": answer.ambiguous.answer.text,
                "from": answer.ambiguous.answer.start,
                "to": answer.start,
                "confidence": round(answer.confidence, 4),
                "written": answer.confidence >= threshold,
                **dict(zip(("before", "after"), excerpts(answer), strict=True)),
            }
            for answer in moved
        ],
    }
