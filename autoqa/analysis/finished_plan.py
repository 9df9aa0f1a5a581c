"""An ensemble with all that was decided on for its answers."""

from collections.abc import Sequence
from dataclasses import replace

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.none_fit import fit_none
from autoqa.analysis.rule_tests import enabled_rules
from autoqa.analysis.span_fit import with_scoring
from autoqa.analysis.stored_predictions import ensemble_plan, load_part
from autoqa.ensemble.choosing.none_choice import NoneFit
from autoqa.ensemble.choosing.selection import Seat
from autoqa.ensemble.joining.own_none import has_both_kinds
from autoqa.ensemble.joining.plan import EnsemblePlan


def finished_plan(run: StudyRun, seats: Sequence[Seat], tie_group: str) -> EnsemblePlan:
    """How an ensemble answers once it is exported: joined, spans scored as fitted, rules applied.

    Where the public part has questions without an answer, with a rule for that.

    Args:
        run: The study's run.
        seats: Its members.
        tie_group: Key of the window group that decides where votes are equal.
    """
    plan = with_scoring(run, ensemble_plan(run, seats, tie_group, enabled_rules(run)))
    fit = none_fit_of(run, plan)
    return plan if fit is None else replace(plan, none=fit.rule)


def none_fit_of(run: StudyRun, plan: EnsemblePlan) -> NoneFit | None:
    """When an ensemble gives no answer; ``None`` where no public question is without one.

    Raises:
        DataError: Predictions or windows are missing or damaged.
    """
    if not has_both_kinds(run.folder.load_examples("public")):
        return None
    return fit_none(load_part(run, plan.members, "public"), plan)
