"""A kit of checks for authors of plugins.

Three faces of the same checks: :func:`run_checks`, the pytest classes of
:mod:`autoqa.testing.cases`, and ``autoqa plugins check``.
"""

from autoqa.testing.check import (
    Check,
    CheckFailedError,
    CheckResult,
    NotApplicableError,
    Outcome,
    require,
)
from autoqa.testing.kit import CHECKS, MODEL_CHECKS, checks_of, run_check, run_checks
from autoqa.testing.subject import DamagedRows, Subject

__all__ = [
    "CHECKS",
    "MODEL_CHECKS",
    "Check",
    "CheckFailedError",
    "CheckResult",
    "DamagedRows",
    "NotApplicableError",
    "Outcome",
    "Subject",
    "checks_of",
    "require",
    "run_check",
    "run_checks",
]
