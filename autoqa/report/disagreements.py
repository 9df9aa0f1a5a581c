"""Labels that candidates contradict, as text and JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoqa.labels.decisions import Dispute
    from autoqa.labels.disagreements import Disagreements
    from autoqa.labels.relabelled import Relabelled

SHOWN = 20
"""Most rows that are printed."""


def dispute_texts(disagreements: "Disagreements") -> Iterator[str]:
    """The first rows, three lines each: question, label and proposed answer in their context."""
    for number, dispute in enumerate(disagreements.disputes[:SHOWN], 1):
        label, proposed = dispute.shown()
        row = dispute.example
        yield (
            f"{number}. {row.id} ({row.language})  {dispute.confidence:.2f}, "
            f"{len(dispute.candidates)} candidates: {row.question}\n"
            f"  label     {label}\n"
            f"  proposed  {proposed}"
        )


def sentences(
    study: str,
    source: str,
    disagreements: "Disagreements",
    target: Path | None,
    kind: str = "csv",
) -> list[str]:
    """How many labels are contradicted, and what to do next.

    Args:
        study: The study, as it was called.
        source: Whose labels.
        disagreements: The contradicted rows.
        target: The file that was written; ``None`` where there is none.
        kind: What it was written as, a key of :data:`autoqa.labels.annotation_tasks.TASKS`.
    """
    count = len(disagreements.disputes)
    lines = [f"... and {count - SHOWN} more."] if count > SHOWN else []
    lines.append(
        f"sources.{source}: the labels of {count} rows are contradicted. At least "
        f"two candidates that had not trained on the row answered {disagreements.heard} of "
        f"{disagreements.rows} rows; {disagreements.public} of these belong to the public part, "
        "the others are trained on."
    )
    if target is not None and kind != "csv":
        own = f" --source {source}"
        lines.append(
            f"{target} holds them for {kind}, the most strongly contradicted first. Its export "
            f"comes back by: autoqa data relabel {study} EXPORT{own} --to OVERLAY."
        )
    elif target is not None:
        lines.append(
            f"{target} waits for decisions: accept, reject or drop. Then --apply {target} --to "
            "OVERLAY."
        )
    return lines


def as_objects(study: str, source: str, disagreements: "Disagreements") -> dict[str, Any]:
    """What ``autoqa data disagreements --json`` prints."""
    return {
        "study": study,
        "source": source,
        "rows": disagreements.rows,
        "public_rows": disagreements.public,
        "rows_heard": disagreements.heard,
        "disagreements": [_as_object(dispute) for dispute in disagreements.disputes],
    }


def _as_object(dispute: "Dispute") -> dict[str, Any]:
    label, proposed = dispute.shown()
    return {
        "id": dispute.example.id,
        "language": dispute.example.language,
        "question": dispute.example.question,
        "label": dispute.label,
        "proposed": dispute.proposed.text,
        "start": dispute.proposed.start,
        "confidence": round(dispute.confidence, 4),
        "candidates": list(dispute.candidates),
        "label_in_context": label,
        "proposed_in_context": proposed,
    }


def decision_sentence(
    decisions: Path, source: str, accepted: int, dropped: int, overlay: Path
) -> str:
    """What ``--apply`` made of a file of decisions.

    Args:
        decisions: The edited file.
        source: Whose labels.
        accepted: Answers that were accepted.
        dropped: Rows that were dropped.
        overlay: The file to write, which holds nothing where both counts are 0.
    """
    if not accepted + dropped:
        return f"{decisions} accepts and drops nothing; nothing is written."
    return (
        f"{accepted} answers accepted, {dropped} rows dropped; {overlay} holds them. "
        f"To use it: overlays = [{str(overlay)!r}] below [sources.{source}]."
    )


def relabelled_sentences(file: Path, source: str, found: "Relabelled", overlay: Path) -> list[str]:
    """What ``autoqa data relabel`` made of a file.

    Args:
        file: The file with labels.
        source: Whose labels.
        found: What it says of them.
        overlay: The file to write, which holds nothing where nothing changes.
    """
    stay = f"{found.confirmed} are labelled as before, {found.undecided} by nobody"
    if not found.changes:
        return [f"{file} changes no row of sources.{source}: {stay}; nothing is written."]
    changed = len(found.changes) - found.dropped
    return [
        f"sources.{source}: {changed} rows have another label, {found.dropped} are dropped; "
        f"{stay}.",
        f"{overlay} holds the changes. To use it: overlays = [{str(overlay)!r}] below "
        f"[sources.{source}].",
    ]
