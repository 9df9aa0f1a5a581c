"""Rows that give others away, as tables."""

from itertools import groupby
from typing import TYPE_CHECKING

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from autoqa.data.overlap import Leak


def leaks_table(title: str, leaks: "Sequence[Leak]", rows: int) -> "Table":
    """Leaks by source, source that is given away, and reason, each kind with its count.

    Args:
        title: Stands above.
        leaks: What to show.
        rows: Most rows shown of each kind; with 0 the kinds alone.
    """
    rows_column, shares_column = numbers("rows", "shares")
    kinds = table(
        rows_column, "source", "id", "because of", shares_column, "with", "id", title=title
    )
    for _, group in groupby(sorted(leaks, key=_kind), key=_kind):
        of_kind = list(group)
        for place, leak in enumerate(of_kind[: max(1, rows)]):
            kinds.add_row(
                str(len(of_kind)) if place == 0 else "",
                leak.source,
                leak.id if rows else "",
                leak.reason,
                f"{leak.share:.0%}" if rows else "",
                leak.held_source,
                leak.held if rows else "",
            )
    return kinds


def _kind(leak: "Leak") -> tuple[str, str, str]:
    return leak.source, leak.held_source, leak.reason
