"""From members' logits to finished answers: the one way of bundles and of stored predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.agreement import agreement
from autoqa.ensemble.joining.evidence import group_evidence
from autoqa.ensemble.joining.evidence_scale import mean_evidence
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


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """What an ensemble says of Q questions.

    Attributes:
        spans: Its answers after post-processing; the empty span where none was found.
        evidence: How much speaks for an answer, higher is surer; comparable between contexts.
            Log-odds where the plan has a scale, else the mean of the groups' evidences. Float64
            ``[Q]``.
        agreement: Mean word-level Jaccard of the members' own answers with the joint one, 0 to 1;
            1 for one model. Float64 ``[Q]``.
        by_group: Evidence of each group's mean logits on its own scale, float64 ``[Q]`` each.
    """

    spans: list[Span]
    evidence: Doubles
    agreement: Doubles
    by_group: Mapping[str, Doubles]


def join(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[ContextRow],
) -> Joined:
    """The ensemble's answers after post-processing, and how sure they are.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all rows by group.
        rows: What was asked.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    contexts = [row.context for row in rows]
    raw = aggregate(plan, logits, windows, contexts)
    by_group = group_evidence(plan, logits, windows, len(rows))
    scale = plan.evidence
    return Joined(
        spans=_finished(plan, raw, rows),
        evidence=mean_evidence(by_group) if scale is None else scale.joined(by_group),
        agreement=agreement(plan, logits, windows, contexts, raw),
        by_group=by_group,
    )


def join_spans(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[ContextRow],
) -> list[Span]:
    """The spans of :func:`join` alone, which take a fraction of its time."""
    return _finished(plan, aggregate(plan, logits, windows, [row.context for row in rows]), rows)


def _finished(plan: EnsemblePlan, raw: list[Span], rows: Sequence[ContextRow]) -> list[Span]:
    contexts = [row.context for row in rows]
    return apply_rules(raw, contexts, [row.language for row in rows], plan.rules)
