"""Two studies side by side as a table, as sentences and as JSON."""

from typing import TYPE_CHECKING, Any

from autoqa.report.amounts import count
from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.scores.bootstrap import Comparison
    from autoqa.upkeep.study_comparison import StudyComparison, StudyOutcome


def comparison_table(compared: "StudyComparison") -> "Table":
    """What came of each: a column per study."""
    shown = table("", *numbers(*(each.name for each in compared.outcomes)))
    rows = [_column(each) for each in compared.outcomes]
    for name in rows[0]:
        shown.add_row(name, *(row[name] for row in rows))
    return shown


def _column(outcome: "StudyOutcome") -> dict[str, str]:
    stated, public = outcome.statement, outcome.public
    return {
        "validation set": outcome.validation or "–",
        "public questions": f"{outcome.questions:,}",
        "documents": f"{outcome.documents:,}",
        "trials": str(outcome.finished),
        "device hours": f"{outcome.hours:.2f}",
        "best": outcome.best,
        "best, public": f"{stated.public:.3f}",
        "best is worth": f"{stated.score:.3f} ± {stated.half_width:.3f}",
        "ensemble": count(len(outcome.ensemble), "model") if outcome.ensemble else "–",
        "ensemble, public": "–"
        if public is None
        else f"{public.mean:.3f} ± {public.half_width:.3f}",
    }


def sentences(compared: "StudyComparison") -> list[str]:
    """What differs, and what the second study gains on the first."""
    first, second = compared.outcomes
    lines = [
        f"{room}: {line}" for room, changes in compared.changes.items() for line in changes
    ] or ["The study files differ in nothing but the name."]
    if compared.training is None:
        lines.append("Whether both trained on the same rows is not known: a search did not say.")
    elif compared.training:
        lines.append(f"Rows to train on differ in: {', '.join(compared.training)}.")
    lines += [f"versions: {name} {old} -> {new}" for name, (old, new) in compared.versions.items()]
    if compared.is_paired:
        lines.append(f"Both were scored on the same {first.questions} public questions: paired.")
    else:
        lines.append(
            f"Their public questions differ ({compared.shared} are the same), so nothing can be "
            "paired: the gains below may be those of easier questions."
        )
    lines.append(_gain(second.name, first.name, "best", compared.metric, compared.best))
    if compared.ensemble is not None:
        lines.append(_gain(second.name, first.name, "ensemble", compared.metric, compared.ensemble))
    lines.append(
        "Both were chosen on these questions, which flatters whoever tried more; the sealed parts "
        "have not been looked at."
    )
    return lines


def _gain(second: str, first: str, what: str, metric: str, gain: "Comparison") -> str:
    return (
        f"The {what} of {second} gains {gain.gain:+.4f} {metric} on that of {first} (95 % "
        f"{gain.low:+.4f} to {gain.high:+.4f}, P(better) {gain.p_better:.3f})."
    )


def as_objects(compared: "StudyComparison") -> dict[str, Any]:
    """What ``autoqa compare --json`` prints."""
    from dataclasses import asdict

    return asdict(compared)
