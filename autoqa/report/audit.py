"""An audit as a table and as sentences."""

from typing import TYPE_CHECKING

from autoqa.data.tally import FINDING_KINDS
from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.data.audit import StudyAudit


def audit_table(audit: "StudyAudit") -> "Table":
    """One row per source: counts, lengths, and how often each kind of fault occurs."""
    kinds = [kind for kind in FINDING_KINDS if any(kind in each.findings for each in audit.sources)]
    counts = ("rows", "contexts", "unanswerable", "context chars", "answer words")
    rows = table(
        "source", *numbers(*counts), "languages", *numbers(*(k.replace("_", " ") for k in kinds))
    )
    for source in audit.sources:
        rows.add_row(
            source.name,
            str(source.rows),
            str(source.contexts),
            f"{source.unanswerable / source.rows:.1%}" if source.rows else "–",
            _middle(source.lengths["context"].characters),
            _middle(source.lengths["answer"].words),
            " ".join(source.languages),
            *(str(source.findings.get(kind, "–")) for kind in kinds),
        )
    return rows


def _middle(quantiles: tuple[int, ...]) -> str:
    """The median, with the range that nine of ten lie in."""
    return "–" if not quantiles else f"{quantiles[2]} ({quantiles[1]}–{quantiles[3]})"


def audit_sentences(audit: "StudyAudit") -> list[str]:
    """Which sources share rows, which answers are too long or several, how much was looked at."""
    lines = []
    for pair in audit.shared:
        counts = ", ".join(f"{count} by {reason}" for reason, count in pair.rows.items())
        lines.append(f"{pair.source} shares rows with {pair.held_source}: {counts}")
    lines += audit.answers
    return [*lines, f"study {audit.study}: sources {len(audit.sources)}, rows {audit.rows}"]
