"""From members' logits to finished answers: the one way of bundles and of stored predictions."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.mean_logits import LogitPair
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.text.rules import apply_rules
from autoqa.types import Span


class ContextRow(Protocol):
    """What joining needs of a row or an example."""

    @property
    def context(self) -> str:
        """The text that holds the answer."""
        ...

    @property
    def language(self) -> str:
        """What is known of its language."""
        ...


def join(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[ContextRow],
) -> list[Span]:
    """The ensemble's answers after post-processing.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all rows by group.
        rows: What was asked.

    Returns:
        One span per row; the empty span where no answer was found.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    contexts = [row.context for row in rows]
    spans = aggregate(plan, logits, windows, contexts)
    return apply_rules(spans, contexts, [row.language for row in rows], plan.rules)
