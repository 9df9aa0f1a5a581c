"""When an ensemble of stored candidates should give no answer."""

from dataclasses import replace

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.ensemble.choosing.none_choice import NoneFit, fit_rule
from autoqa.ensemble.joining.own_none import has_both_kinds
from autoqa.ensemble.joining.plan import EnsemblePlan
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
