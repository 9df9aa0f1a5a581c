"""What an opening of the private part showed, as a table, as sentences and as JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.analysis.reveal import OpenedPart


def as_objects(opened: "OpenedPart") -> dict[str, Any]:
    """What ``autoqa reveal --json`` prints."""
    return {
        "opening": opened.opening,
        "before": [
            {
                "opened": row.opened.isoformat(timespec="seconds"),
                "purpose": row.purpose,
                "reason": row.reason,
            }
            for row in opened.earlier
        ],
        "candidates": [asdict(row) for row in opened.candidates],
        "agreement": None if opened.agreement is None else asdict(opened.agreement),
        "ensemble": {
            "members": list(opened.members),
            "public": opened.public.model_dump(),
            "private": opened.private.model_dump(),
        },
        "best": opened.best,
        "gain": None if opened.gain is None else asdict(opened.gain),
    }


def ranks_table(opened: "OpenedPart") -> "Table":
    """One row per candidate, the highest private score first; the arrow marks the ladder's best."""
    rows = table(
        "",
        "candidate",
        *numbers("private", "±", "public", "rank", "public rank", "moved"),
        spare=("public rank", "rank", "±"),
    )
    for candidate in opened.candidates:
        moved = candidate.public_rank - candidate.private_rank
        rows.add_row(
            "→" if candidate.id == opened.best else "",
            candidate.id,
            f"{candidate.private.mean:.3f}",
            f"{candidate.private.half_width:.3f}",
            f"{candidate.public:.3f}",
            f"{candidate.private_rank:g}",
            f"{candidate.public_rank:g}",
            f"{moved:+g}" if moved else "",
        )
    return rows


def sentences(opened: "OpenedPart") -> list[str]:
    """How far the public ranking holds, what the ensemble scores, and its gain on the best."""
    lines = []
    agreement = opened.agreement
    if agreement is not None and agreement.spearman is not None:
        order = agreement.spearman
        lines.append(
            f"Ranks on the two parts correlate by {order.mean:+.2f} (Spearman, 95 % "
            f"{order.low:+.2f} to {order.high:+.2f}); private scores are "
            f"{agreement.offset.mean:+.3f} off the public ones on average."
        )
    lines.append(
        f"The selection ({', '.join(opened.members)}): public {opened.public.score:.3f} ± "
        f"{opened.public.half_width:.3f}, private {opened.private.score:.3f} ± "
        f"{opened.private.half_width:.3f}."
    )
    gain = opened.gain
    if gain is not None:
        subject = "it" if len(opened.members) == 1 else "the ensemble"
        lines.append(
            f"On the private part {subject} gains {gain.gain:+.3f} (95 % "
            f"{gain.low:+.3f} to {gain.high:+.3f}, P(better) {gain.p_better:.2f}) on "
            f"{opened.best}, the ladder's best."
        )
    return lines


def earlier_openings(opened: "OpenedPart") -> str:
    """Which opening this is, and when the last one was; empty for the first."""
    if not opened.earlier:
        return ""
    last = opened.earlier[-1]
    return (
        f"This is opening {opened.opening}; the last one was on {last.opened:%Y-%m-%d %H:%M} "
        f"({last.reason}). The more often, the less it says about new questions."
    )
