"""What one run takes, measured on some of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean
from typing import Any, Self

from autoqa.planning.share_scale import ShareScale

NO_SCALE = ShareScale()


@dataclass(frozen=True, slots=True)
class TimedPortion:
    """One portion of the recipe that was timed.

    Attributes:
        source: Name in the study file.
        share: Its share of the source.
        windows: Windows to train on, over all passes.
        tokens: Their tokens.
    """

    source: str
    share: float
    windows: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTiming:
    """How long a run of a backbone's protocol takes, with as many workers as the search has.

    Attributes:
        portions: What the protocol's recipe holds.
        batch_size: Windows that one optimizer step sees.
        setup: Seconds from the job's arrival to the first step, of a worker that has the data.
        tokens_per_second: Training throughput.
        evaluation: Seconds to predict both parts of the validation set, once per snapshot.
    """

    portions: tuple[TimedPortion, ...]
    batch_size: int
    setup: float
    tokens_per_second: float
    evaluation: float

    def windows(self, scale: ShareScale = NO_SCALE) -> float:
        """Windows of a run."""
        return sum(each.windows * _kept(each, scale) for each in self.portions)

    def seconds(self, snapshots: int, scale: ShareScale = NO_SCALE) -> float:
        """Seconds of a run from its job's arrival to its end.

        Args:
            snapshots: Points of the run that become candidates.
            scale: Makes it smaller.
        """
        tokens = sum(each.tokens * _kept(each, scale) for each in self.portions)
        return self.setup + tokens / self.tokens_per_second + snapshots * self.evaluation

    @property
    def windows_per_second(self) -> float:
        """Training throughput over the recipe as a whole."""
        tokens = sum(each.tokens for each in self.portions)
        return self.windows() * self.tokens_per_second / tokens

    def as_json(self) -> dict[str, Any]:
        """The value that is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """What :meth:`as_json` gave.

        Raises:
            TypeError: It is something else.
            KeyError: It has no portions.
        """
        portions = tuple(TimedPortion(**each) for each in content["portions"])
        return cls(**{**content, "portions": portions})


def mean_timing(timings: Sequence[RunTiming]) -> RunTiming:
    """The mean over workers that timed the same run beside each other; at least one."""
    numbers = {"setup", "tokens_per_second", "evaluation"}
    assert numbers < {each.name for each in fields(RunTiming)}
    means = {name: fmean(getattr(each, name) for each in timings) for name in numbers}
    return RunTiming(portions=timings[0].portions, batch_size=timings[0].batch_size, **means)


def _kept(portion: TimedPortion, scale: ShareScale) -> float:
    return scale.share(portion.source, portion.share) / portion.share
