"""What a check of a plugin is, and what comes of one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from autoqa.errors import AutoqaError
from autoqa.testing.subject import Subject

Outcome = Literal["passed", "failed", "exempt", "not applicable"]
"""What becomes of a check."""


class CheckFailedError(AutoqaError):
    """A plugin does not do what its contract asks for; one sentence says what it does instead."""


class NotApplicableError(AutoqaError):
    """A check has nothing to look at; one sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that a plugin of some kind has to do.

    Attributes:
        name: Its name, by which a plugin can be exempted from it: lower-case letters and ``-``.
        summary: What is checked, in one line.
        function: Looks at a plugin. Raises CheckFailedError where it does not do that, and
            NotApplicableError where there is nothing to look at.
    """

    name: str
    summary: str
    function: Callable[[Subject[Any]], None]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What came of a check.

    Attributes:
        check: Which one.
        outcome: ``"exempt"`` is a failure that is excused; a plugin that passes what it is exempted
            from is ``"exempt"``, too, and ``needless``.
        sentence: Why it failed, is exempted or could not be done; empty where it passed.
        seconds: How long it took.
        needless: Whether the plugin passes although it is exempted.
    """

    check: Check
    outcome: Outcome
    sentence: str
    seconds: float
    needless: bool = False


def require(condition: object, sentence: str) -> None:
    """Raises CheckFailedError with a sentence unless a condition holds."""
    if not condition:
        raise CheckFailedError(sentence)
