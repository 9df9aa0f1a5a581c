"""The time limit: when runs must end, and whether another one may start."""

import time
from dataclasses import dataclass, field

from autoqa.planning.time_plan import MIN_SHARE_OF_RUN

GRACE_SECONDS = 120.0
"""Seconds that a run may overrun the end before its worker is stopped from outside."""

SOUPS_SHARE = 0.1
"""Share of the time that is kept for soups where the study asks for them."""


@dataclass(frozen=True)
class Budget:
    """The wall-clock limit of one search.

    Attributes:
        minutes: The limit, or ``None`` for none.
        start: Seconds since the epoch at which it began.
        reserve: Share of the minutes, at their end, that is kept for what comes after.
    """

    minutes: float | None = None
    start: float = field(default_factory=time.time)
    reserve: float = 0.0

    @property
    def end(self) -> float | None:
        """Seconds since the epoch at which everything must be over."""
        if self.minutes is None:
            return None
        return self.start + 60 * self.minutes * (1 - self.reserve)

    @property
    def deadline(self) -> float | None:
        """When runs stop training, so that a last snapshot can still be predicted and written."""
        if self.end is None or self.minutes is None:
            return None
        return self.end - min(30.0, 0.05 * 60 * self.minutes)

    def left(self) -> float | None:
        """Seconds until the deadline; ``None`` without a limit."""
        return None if self.deadline is None else self.deadline - time.time()

    def share(self, ahead: float) -> float:
        """Share of the time that will be over in so many seconds; 0 without a limit."""
        if self.deadline is None:
            return 0.0
        return (time.time() + ahead - self.start) / (self.deadline - self.start)

    def fits(self, usual: float | None) -> bool:
        """Whether a run may start.

        Args:
            usual: Seconds that such a run takes, or ``None`` where nobody knows yet.
        """
        left = self.left()
        if left is None:
            return True
        return left > 0 and (usual is None or left >= MIN_SHARE_OF_RUN * usual)

    def overrun(self) -> bool:
        """Whether a run that still goes on ignores its deadline."""
        return self.end is not None and time.time() > self.end + GRACE_SECONDS
