"""A study as Markdown: tables without pictures, for a README."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from autoqa.report.study_summary import MAIN_EFFECTS, outlook, summary

if TYPE_CHECKING:
    from autoqa.upkeep.overview import Overview

_ROWS = 20
"""Candidates and effects that are shown."""


def study_markdown(overview: "Overview") -> str:
    """Summary, leaderboard, effects and ensemble; texts are escaped."""
    parts = [f"# {_text(overview.status.place.name)}", *map(_text, summary(overview))]
    if overview.missing:
        listed = "\n".join(f"- {_text(sentence)}" for sentence in overview.missing)
        parts += ["## What is missing", listed]
    if overview.board is not None and overview.board.ranked:
        parts += ["## Leaderboard", _leaderboard(overview)]
    if overview.effects is not None and overview.effects.found:
        parts += ["## What helped", MAIN_EFFECTS, _effects(overview)]
    if overview.selection is not None:
        members = overview.selection.members
        parts += [
            "## Ensemble",
            _table(
                ("member", "seats", "why it is in"),
                ((seat.id, f"{seat.weight:g}", seat.reason) for seat in members),
            ),
        ]
    return "\n\n".join(parts) + "\n"


def _leaderboard(overview: "Overview") -> str:
    board = overview.board
    assert board is not None
    best = board.best
    return _table(
        ("candidate", "backbone", board.metric, "±", "P(better)"),
        (
            (
                f"{record.id} (best)" if best is not None and record.id == best.id else record.id,
                record.backbone,
                f"{record.score:.3f}",
                "–" if record.half_width is None else f"{record.half_width:.3f}",
                f"{best.rivals[record.id].p_better:.2f}"
                if best is not None and record.id in best.rivals
                else "–",
            )
            for record in board.ranked[:_ROWS]
        ),
    )


def _effects(overview: "Overview") -> str:
    assert overview.effects is not None
    return _table(
        ("condition", "effect", "95 %", "verdict", "to know more"),
        (
            (
                each.name,
                f"{each.estimate.effect:+.3f}",
                f"{each.estimate.low:+.3f} to {each.estimate.high:+.3f}",
                each.verdict,
                outlook(each),
            )
            for each in overview.effects.found[:_ROWS]
        ),
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_text, cells))} |" for cells in lines)


def _text(text: str) -> str:
    """What Markdown would take for its own, escaped."""
    for sign in "\\|<>*_[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
