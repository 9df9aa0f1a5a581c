"""What "no answer" and stated confidence are worth on a file: tables and objects of JSON."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autoqa.report.tables import numbers, table
from autoqa.scores.answerability import AnswerSplit
from autoqa.scores.calibration import Reliability

if TYPE_CHECKING:
    from rich.table import Table


def split_table(split: AnswerSplit) -> "Table":
    """Scores by whether there is an answer, beside those of other thresholds."""
    lines = table("questions", *numbers("n", "score"))
    kinds = (
        ("has answer", split.answerable, split.has_answer),
        ("no answer", split.unanswerable, split.no_answer),
    )
    for name, questions, score in kinds:
        lines.add_row(name, str(questions), f"{score:.3f}" if questions else "–")
    total = str(split.answerable + split.unanswerable)
    lines.add_row("all", total, f"{split.all:.3f}")
    best = f"all, best possible threshold ({split.best_threshold:.2f})"
    lines.add_row(best, total, f"{split.best:.3f}")
    lines.add_row("all, always answering", total, f"{split.always:.3f}")
    return lines


def reliability_tables(found: Reliability) -> list["Table"]:
    """Stated confidence against what was reached, and the surest answers."""
    bins = table("stated", *numbers("n", "reached", "low", "high"))
    for each in found.bins:
        reached = (f"{value:.3f}" for value in (each.reached, each.low, each.high))
        bins.add_row(f"{each.stated:.3f}", str(each.questions), *reached)
    bins.add_row("calibration error", str(found.questions), f"{found.error:.3f}", "", "")
    surest = table("surest", *numbers("from score", "reached", "low", "high"))
    for part in found.surest:
        reached = (f"{value:.3f}" for value in (part.reached, part.low, part.high))
        surest.add_row(f"{part.share:.0%}", f"{part.confidence:.3f}", *reached)
    return [bins, surest]


def reliability_object(split: AnswerSplit | None, found: Reliability | None) -> dict[str, Any]:
    """Both as JSON, as far as they are known."""
    parts: dict[str, Any] = {}
    if split is not None:
        parts["split"] = asdict(split)
    if found is not None:
        parts["reliability"] = asdict(found)
    return parts
