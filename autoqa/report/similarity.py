"""What a similarity filter keeps and drops, as tables, a sentence and JSON."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from rich.table import Table

    from autoqa.data.similarity import Likeness
    from autoqa.types import Example

_SHOWN = 10
"""Rows of each table."""


def as_objects(
    rows: "Sequence[Example]", likeness: "Likeness", selected: Sequence[int]
) -> dict[str, Any]:
    """What ``autoqa data similar --json`` prints.

    Args:
        rows: The source's rows.
        likeness: Their scores.
        selected: Numbers of the rows that the filter keeps.
    """
    chosen = set(selected)
    scores = zip(rows, likeness.scores.tolist(), strict=True)
    return {
        "auc": likeness.auc,
        "rows": len(rows),
        "kept": len(selected),
        "scores": [
            {"id": row.id, "language": row.language, "score": score, "kept": number in chosen}
            for number, (row, score) in enumerate(scores)
        ],
    }


def summary(likeness: "Likeness", selected: Sequence[int], target: str) -> str:
    """How many rows are kept, from which score on, and how well the sources can be told apart."""
    cut = float(likeness.scores[list(selected)].min())
    return (
        f"{len(selected)} of {len(likeness.scores)} rows are kept, those with a score of {cut:.2f} "
        f"and more; the area under the curve between them and {target!r} is {likeness.auc:.2f}."
    )


def example_tables(
    rows: "Sequence[Example]", likeness: "Likeness", selected: int
) -> "Iterator[Table]":
    """Rows with the highest scores, around the cut, and with the lowest.

    Args:
        rows: The source's rows.
        likeness: Their scores.
        selected: How many of them the filter keeps.
    """
    order = (-likeness.scores).argsort(kind="stable").tolist()
    for title, places in (
        ("most like the target's", order[:_SHOWN]),
        ("at the cut", order[max(0, selected - _SHOWN // 2) : selected + _SHOWN // 2]),
        ("least like the target's", order[-_SHOWN:]),
    ):
        examples = table(*numbers("score"), "language", "question", "answer", title=title)
        for place in places:
            row = rows[place]
            answer = row.answers[0].text if row.answers else "–"
            score = f"{likeness.scores[place]:.2f}"
            examples.add_row(score, row.language, row.question.strip()[:80], answer[:40])
        yield examples
