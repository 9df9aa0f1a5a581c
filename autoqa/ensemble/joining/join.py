"""From members' logits to finished answers: the one way of bundles and of stored predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.decoder import EMPTY
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.agreement import agreement
from autoqa.ensemble.joining.evidence import group_evidence
from autoqa.ensemble.joining.none_rule import mean_evidence, none_probability
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.text.rules import apply_rules
from autoqa.text.scripts import language_of
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
        spans: Its answers after post-processing; the empty span where none was found, or is given.
        evidence: How much speaks for an answer, higher is surer; comparable between contexts.
            Log-odds where the plan has a rule for none, else the mean of the groups' evidences.
            Float64 ``[Q]``.
        agreement: Mean word-level Jaccard of the members' own answers with the joint one, 0 to 1;
            1 for one model. Float64 ``[Q]``.
        by_group: Evidence of each group's mean logits on its own scale, float64 ``[Q]`` each.
        no_answer: Probability that there is none, float64 ``[Q]``; ``None`` without a rule.
    """

    spans: list[Span]
    evidence: Doubles
    agreement: Doubles
    by_group: Mapping[str, Doubles]
    no_answer: Doubles | None = None


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
    agreed = agreement(plan, logits, windows, contexts, raw)
    by_group = group_evidence(plan, logits, windows, len(rows))
    evidence = mean_evidence(by_group) if plan.none is None else plan.none.scale.joined(by_group)
    none = None if plan.none is None else none_probability(evidence)
    spans = _finished(plan, raw, rows, none)
    return Joined(spans, evidence, agreed, by_group, none)


def join_spans(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[ContextRow],
) -> list[Span]:
    """The answers of :func:`join` alone, in a fraction of its time."""
    raw = aggregate(plan, logits, windows, [row.context for row in rows])
    none = None
    if plan.none is not None:
        by_group = group_evidence(plan, logits, windows, len(rows))
        none = none_probability(plan.none.scale.joined(by_group))
    return _finished(plan, raw, rows, none)


def _finished(
    plan: EnsemblePlan, raw: list[Span], rows: Sequence[ContextRow], none: Doubles | None
) -> list[Span]:
    contexts, languages = [row.context for row in rows], [row.language for row in rows]
    spans = apply_rules(raw, contexts, languages, plan.rules)
    if plan.none is None or none is None:
        return spans
    given = plan.none.says_none(none, [language_of(row.language, row.context) for row in rows])
    return [
        EMPTY._replace(score=probability) if absent else span
        for span, absent, probability in zip(spans, given.tolist(), none.tolist(), strict=True)
    ]
