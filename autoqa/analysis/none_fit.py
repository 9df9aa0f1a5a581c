"""When an ensemble of stored candidates should give no answer."""

from dataclasses import replace

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.ensemble.choosing.none_choice import NoneFit, fit_rule
from autoqa.ensemble.joining.own_none import has_both_kinds
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score_by


def fit_none(part: StoredPart, plan: EnsemblePlan) -> NoneFit | None:
    """Fits an ensemble's rule; ``None`` where no question of the part is without an answer.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble; its own rule is left aside.

    Raises:
        DataError: Predictions do not fit.
    """
    if not has_both_kinds(part.examples):
        return None
    joined = part.joined(replace(plan, none=None))
    answered = score_by(part.metric, [span.text for span in joined.spans], part.examples)
    return fit_rule(joined.by_group, answered, part.examples)


def alone(part: StoredPart, plan: EnsemblePlan, member: Member) -> EnsemblePlan:
    """One member as an ensemble of its own, with a rule of its own where the ensemble has one.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble.
        member: One of its members.

    Raises:
        DataError: Predictions do not fit.
    """
    own = plan.alone(member)
    fit = None if plan.none is None else fit_none(part, own)
    return own if fit is None else replace(own, none=fit.rule)
