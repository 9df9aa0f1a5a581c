"""The learning rate over a run, and how far ahead of a stage it has to know the recipe."""

import math
from dataclasses import dataclass
from itertools import accumulate

from autoqa.recipes import Method

DECAY = 0.3
"""Share of a run's only stage in which the ``wsd`` schedule decays."""


@dataclass(frozen=True, slots=True)
class LearningRate:
    """Factors on the peak learning rate.

    Attributes:
        method: Which schedule, and whether it starts anew before the last stage.
        stages: Optimizer steps of each stage.
        warmup_ratio: Share of the steps with a rising rate; with ``wsd`` of the first stage's,
            because the number of later steps must not matter there.
    """

    method: Method
    stages: tuple[int, ...]
    warmup_ratio: float

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return sum(self.stages)

    @property
    def warmup(self) -> int:
        """Steps with a rising rate at the beginning of the run."""
        return self._warmup(self.stages if self.restart_at is None else self.stages[:-1])

    @property
    def ends(self) -> tuple[int, ...]:
        """Steps done when each stage is over."""
        return tuple(accumulate(self.stages))

    @property
    def restart_at(self) -> int | None:
        """Steps done when optimizer and schedule are reset, or ``None``."""
        split = self.method.restart and len(self.stages) > 1
        return self.steps - self.stages[-1] if split else None

    def factor(self, step: int) -> float:
        """Factor for the step that follows ``step`` finished ones, above 0 up to 1."""
        restart_at = self.restart_at
        if restart_at is None:
            return self._factor(step, self.stages)
        if step < restart_at:
            return self._factor(step, self.stages[:-1])
        return self._factor(step - restart_at, self.stages[-1:])

    def _factor(self, step: int, stages: tuple[int, ...]) -> float:
        steps, warmup = sum(stages), self._warmup(stages)
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if self.method.schedule == "wsd":
            decay = stages[-1] if len(stages) > 1 else max(1, round(DECAY * steps))
            return min(1.0, (steps - step) / decay)
        left = max(0.0, (steps - step) / max(1, steps - warmup))
        if self.method.schedule == "cosine":
            return (1 - math.cos(math.pi * left)) / 2
        return left

    def _warmup(self, stages: tuple[int, ...]) -> int:
        steps = stages[0] if self.method.schedule == "wsd" else sum(stages)
        return max(1, round(steps * self.warmup_ratio))

    def closes(self, stage: int) -> bool:
        """Whether a stage is the last one before the end of the run, or before the restart."""
        return stage == len(self.stages) - 1 or self.ends[stage] == self.restart_at

    def horizon(self, stage: int) -> int:
        """The last stage that must be known to train a stage as this schedule wants it.

        Warm-up, stable and decay: a stage that does not close looks no further than itself. The
        other schedules look to the end of the run, or to the restart.
        """
        if self.method.schedule == "wsd":
            return stage
        return next(each for each in range(stage, len(self.stages)) if self.closes(each))

    def shared(self, stage: int) -> bool:
        """Whether runs with other later stages have the same weights at the end of a stage."""
        # The mean over the run's last quarter depends on where the run ends.
        fixed = self.method.averaging != "swa"
        return fixed and stage < len(self.stages) - 1 and self.horizon(stage) == stage

    def sharing(self, kept: bool) -> list[str]:
        """Says whether other runs may fork from this one's stages, and why not.

        Args:
            kept: Whether checkpoints are kept at all.
        """
        count = sum(map(self.shared, range(len(self.stages)))) if kept else 0
        if count:
            stages = "first stage is" if count == 1 else f"first {count} stages are"
            return [f"shared: the {stages} trained once for all recipes that begin alike"]
        if len(self.stages) == 1:
            return []
        why = (
            "search.checkpoints is 0"
            if not kept
            else "the mean of the last quarter's weights depends on the whole recipe"
            if self.method.averaging == "swa"
            else f"the {self.method.schedule} schedule depends on the length of the whole recipe"
        )
        return [f"not shared with recipes that begin alike: {why}"]
