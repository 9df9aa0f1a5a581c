"""An audit as a table and as sentences."""

from typing import TYPE_CHECKING

from autoqa.data.findings import FINDING_KINDS, problem_kind
from autoqa.report.tables import folded, numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.data.audit import StudyAudit
    from autoqa.data.tally import SourceAudit


def audit_table(audit: "StudyAudit") -> "Table":
    """One row per source: counts, lengths, and how often each kind of fault occurs."""
    kinds = [kind for kind in FINDING_KINDS if any(kind in each.findings for each in audit.sources)]
    counts = ("rows", "contexts", "unanswerable", "context chars", "answer words")
    rows = table(
        "source",
        *numbers(*counts),
        *folded("languages"),
        *numbers(*(k.replace("_", " ") for k in kinds)),
        spare=("answer words", "context chars", "contexts", "languages", "unanswerable"),
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
    """What cannot be used or read, what offsets count, shared rows, answers too long or several."""
    lines = [line for source in audit.sources for line in source_sentences(source)]
    for pair in audit.shared:
        counts = ", ".join(f"{count} by {reason}" for reason, count in pair.rows.items())
        lines.append(f"{pair.source} shares rows with {pair.held_source}: {counts}")
    lines += audit.answers
    unread = sum(bool(source.unreadable) for source in audit.sources)
    sources = f"{len(audit.sources)} ({unread} cannot be read)" if unread else len(audit.sources)
    return [*lines, f"study {audit.study}: sources {sources}, rows {audit.rows}"]


def source_sentences(source: "SourceAudit") -> list[str]:
    """What a table of counts does not say about one source."""
    lines = []
    if source.unreadable:
        lines.append(f"cannot be read, after {source.rows} rows: {source.unreadable}")
    lines += [
        f"{count} rows cannot be used: {problem}; the first is {_first(source, problem)}"
        for problem, count in source.problems.items()
    ]
    if any(unit.fits < unit.total for unit in source.units[:1]):
        lines += [
            f"{unit.fits} of {unit.total} offsets fit when counted in {unit.counted_in}"
            for unit in source.units
        ]
    if source.loading is not None:
        if source.loading.refused:
            lines.append(f"a search refuses it: {source.loading.refused}")
        for done in ("repaired", "dropped"):
            kinds = getattr(source.loading, done)
            if kinds:
                listed = ", ".join(f"{kind}: {count}" for kind, count in kinds.items())
                lines.append(f"in a search, rows are {done}; {listed}")
    return [f"{source.name}: {line}" for line in lines]


def _first(source: "SourceAudit", problem: str) -> str:
    """Place of the first row with a problem, and the problem in full."""
    for sample in source.samples["unusable"]:
        if problem_kind(sample.note) == problem:
            return f"{sample.where}: {sample.note}"
    raise KeyError(problem)
