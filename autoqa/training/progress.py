"""How fast a run goes and whether it learns: what is reported, and when it is given up."""

import math
import time
from collections import deque
from dataclasses import dataclass, field

from autoqa.errors import TrainingError
from autoqa.training.engine import StepLoss

PATIENCE = 100
"""Steps after the warm-up whose mean loss is compared with chance."""

HOPELESS = 0.95
"""Share of the loss by chance above which a run has collapsed or never learned."""


@dataclass(slots=True)
class Pace:
    """Speed and loss of a run; seconds count training only, not evaluation.

    Attributes:
        warmup: Steps with a rising learning rate, which may lose anything.
        loss: Exponential mean of the loss, in nats.
    """

    warmup: int
    loss: float = math.nan
    _windows: int = 0
    _seconds: float = 0.0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=PATIENCE))
    _reported: float = field(default_factory=time.monotonic)

    @property
    def windows_per_second(self) -> float:
        """Windows trained on per second; not a number before the first step."""
        return self._windows / self._seconds if self._seconds else math.nan

    def count(self, cost: StepLoss, windows: int, seconds: float) -> None:
        """Takes in one step."""
        self._windows += windows
        self._seconds += seconds
        before = self.loss
        self.loss = cost.loss if math.isnan(before) else 0.95 * before + 0.05 * cost.loss
        self._recent.append(cost.loss / cost.chance if cost.chance else 0.0)

    def check(self, cost: StepLoss, step: int, steps: int, learning_rate: float) -> None:
        """Refuses a run whose loss is no number, or has been that of guessing for a while.

        Large encoders collapse at a rate that is a little too high: from one step to the next they
        give every token the same score, and stay there.

        Raises:
            TrainingError: The loss is no number, or has been that of guessing for a while.
        """
        if not math.isfinite(cost.loss):
            raise TrainingError(
                f"The loss became {cost.loss} at step {step} of {steps} with learning rate "
                f"{learning_rate:g}; use a lower rate or precision fp32."
            )
        if step < self.warmup + PATIENCE or len(self._recent) < PATIENCE:
            return
        share = sum(self._recent) / PATIENCE
        if share >= HOPELESS:
            raise TrainingError(
                f"The run collapsed: the loss of the last {PATIENCE} steps until step {step} of "
                f"{steps} is {share:.0%} of that of guessing, with learning rate "
                f"{learning_rate:g}; use a lower rate or a longer warm-up."
            )

    def due(self) -> bool:
        """Whether a second has passed since this was true last."""
        now = time.monotonic()
        if now - self._reported < 1:
            return False
        self._reported = now
        return True
