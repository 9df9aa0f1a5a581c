"""From members' logits to finished answers: the one way of bundles and of stored predictions."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from autoqa.ensemble.aggregate import Member, aggregate
from autoqa.ensemble.blend import Logits
from autoqa.export.manifest import VoteEntry
from autoqa.text.rules import apply_rules
from autoqa.text.slots import WindowsLike
from autoqa.types import Span


class Asked(Protocol):
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
    members: Sequence[Member],
    logits: Mapping[str, Logits],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[Asked],
    vote: VoteEntry,
    rules: Mapping[str, Sequence[str]],
) -> list[Span]:
    """The ensemble's answers after post-processing.

    Args:
        members: The ensemble, in the order of the manifest.
        logits: Start and end logits by member id.
        windows: Windows of all rows by group.
        rows: What was asked.
        vote: How members are joined.
        rules: Post-processing rules by language.

    Returns:
        One span per row; the empty span where no answer was found.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    contexts = [row.context for row in rows]
    spans = aggregate(
        members,
        logits,
        windows,
        contexts,
        best=vote.best,
        max_answer_tokens=vote.max_answer_tokens,
        aggregator=vote.aggregator,
        words=vote.words,
    )
    return apply_rules(spans, contexts, [row.language for row in rows], rules)
