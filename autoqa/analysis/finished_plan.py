"""An ensemble with all that was decided on for its answers."""

from collections.abc import Sequence

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.rule_tests import enabled_rules
from autoqa.analysis.span_fit import with_scoring
from autoqa.analysis.stored_predictions import ensemble_plan
from autoqa.ensemble.choosing.selection import Seat
from autoqa.ensemble.joining.plan import EnsemblePlan


def finished_plan(run: StudyRun, seats: Sequence[Seat], tie_group: str) -> EnsemblePlan:
    """How an ensemble answers once it is exported: joined, spans scored as fitted, rules applied.

    Args:
        run: The study's run.
        seats: Its members.
        tie_group: Key of the window group that decides where votes are equal.
    """
    return with_scoring(run, ensemble_plan(run, seats, tie_group, enabled_rules(run)))
