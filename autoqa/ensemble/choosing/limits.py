"""What an ensemble may be: seats, seats per recipe and group, seconds, and how much alike."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.evaluation.evaluator import Contender, Seats
from autoqa.errors import ConfigError, DataError, NothingFeasibleError
from autoqa.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleLimits:
    """What an ensemble may be.

    Attributes:
        seats: Most members, counted with repetition.
        recipe_cap: Most seats of contenders of one backbone and recipe, counted with repetition.
        quota: Fewest seats of each group that the greedy selection seats at all.
        seconds: Most seconds that all members together may take for 1,000 questions; each counts
            once, whatever its seats. ``None`` for any.
        alike: A contender whose answers differ less than this from those of a member (mean of
            1 - word-level Jaccard) is no new voice and gets no seat beside it. With one word in a
            hundred no study has the questions to show that the second model helps, and every
            bundle would pay for it.

    Raises:
        ConfigError: The limits contradict each other.
    """

    seats: int = 5
    recipe_cap: int = 3
    quota: int = 1
    seconds: float | None = None
    alike: float = 0.01

    def __post_init__(self) -> None:
        for name in ("seats", "recipe_cap", "quota"):
            value = getattr(self, name)
            if value < 1:
                raise ConfigError(f"selection.{name} is {value}: it must be 1 or more")
        if self.quota > self.seats:
            raise ConfigError(
                f"selection.quota is {self.quota}, more than selection.seats ({self.seats}): no "
                "group could have so many; lower the quota or allow more seats"
            )
        if self.seconds is not None and not self.seconds > 0:
            raise ConfigError(f"selection.seconds is {self.seconds:g}: it must be above 0")

    def affordable(self, contenders: Sequence[Contender]) -> list[Contender]:
        """Contenders that alone keep to the budget.

        Raises:
            NothingFeasibleError: There is none.
            DataError: There is a budget, and a contender's inference time is not known.
        """
        if self.seconds is None:
            return list(contenders)
        unknown = next((c for c in contenders if not math.isfinite(c.seconds)), None)
        if unknown is not None:
            raise DataError(
                f"candidate {unknown.id}: its inference time is {unknown.seconds}, so it cannot be "
                "held to selection.seconds; remove the candidate or the limit"
            )
        within = [c for c in contenders if c.seconds <= self.seconds]
        if not within:
            cheapest = min(contenders, key=lambda c: c.seconds)
            raise NothingFeasibleError(
                f"selection.seconds is {self.seconds:g}, but the cheapest candidate, "
                f"{cheapest.id}, takes {cheapest.seconds:.3g} seconds for 1,000 questions: "
                "allow at least that"
            )
        return within

    def room(self, contenders: Sequence[Contender], seats: Seats) -> list[int]:
        """Contenders that may take one seat more, ascending; what is alike is not looked at."""
        if len(seats) >= self.seats:
            return []
        taken = Counter(contenders[i].recipe for i in seats)
        full = {recipe for recipe, count in taken.items() if count >= self.recipe_cap}
        members = set(seats)
        left = math.inf if self.seconds is None else self.seconds - cost(contenders, seats)
        return [
            i
            for i, contender in enumerate(contenders)
            if contender.recipe not in full
            and (self.seconds is None or i in members or contender.seconds <= left)
        ]

    def allow(self, contenders: Sequence[Contender], seats: Seats) -> bool:
        """Whether an ensemble keeps to seats, recipe cap and budget."""
        taken = Counter(contenders[i].recipe for i in seats)
        return (
            len(seats) <= self.seats
            and max(taken.values()) <= self.recipe_cap
            and (self.seconds is None or cost(contenders, seats) <= self.seconds)
        )


def cost(contenders: Sequence[Contender], seats: Seats) -> float:
    """Seconds that the members take for 1,000 questions, one after the other."""
    return math.fsum(contenders[i].seconds for i in set(seats))


def check_field(
    candidates: Sequence[Contender],
    windows: Mapping[str, WindowsLike],
    examples: Sequence[Example],
    bags: int,
) -> None:
    """Refuses what nothing can be selected from.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: There is no example.
        ValueError: An argument makes no sense.
    """
    if not candidates:
        raise NothingFeasibleError("there is no candidate to select from: search first")
    if not examples:
        raise DataError("the public part has no question to select on: hold out more documents")
    if bags < 1:
        raise ValueError(f"bags is {bags}; it must be 1 or more")
    names = [candidate.id for candidate in candidates]
    if len(set(names)) < len(names):
        raise ValueError(f"candidate ids {names} are not unique")
    missing = sorted({candidate.group for candidate in candidates} - set(windows))
    if missing:
        raise ValueError(
            f"windows of the groups {missing} are missing; given are {sorted(windows)}"
        )
