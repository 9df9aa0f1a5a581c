"""What runs of a search take, and whether another one fits."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoqa.planning.run_timing import RunTiming
from autoqa.supervision.budget import Budget
from autoqa.trials.device_time import DeviceTime
from autoqa.trials.trials import Trials


@dataclass(frozen=True)
class SearchPace:
    """How fast one search is, and how much time it has.

    Attributes:
        trials: The study's trials.
        total: How many are wanted.
        budget: Time.
        timings: What a run of each backbone takes, where it was measured before.
        snapshots: Points of a run that become candidates.
        device_hours: Hours of devices that all runs of the study may take.
        width: Devices of each run.
    """

    trials: Trials
    total: int
    budget: Budget
    timings: Mapping[str, RunTiming]
    snapshots: int
    device_hours: float | None
    width: int

    @property
    def device_time(self) -> DeviceTime:
        """What is left of the hours of devices."""
        return DeviceTime(self.trials, self.device_hours, self.seconds, self.width)

    def fits(self, usual: float | None) -> bool:
        """Whether a run that takes so many seconds may start."""
        return self.budget.fits(usual) and self.device_time.fits(usual)

    def seconds(self, backbone: str) -> float | None:
        """What a run takes: as others of this search took, or else as it was timed."""
        seconds = self.trials.tally.usual(backbone, "next_seconds")
        if seconds is None and backbone in self.timings:
            scale = self.trials.spaces[backbone].scale
            return self.timings[backbone].seconds(self.snapshots, scale)
        return seconds

    def windows_per_second(self, backbone: str) -> float | None:
        """As others of this search were trained, or else as it was timed."""
        speed = self.trials.tally.usual(backbone, "windows_per_second")
        if speed is None and backbone in self.timings:
            return self.timings[backbone].windows_per_second
        return speed

    def evaluation(self, backbone: str) -> float:
        """Seconds that a snapshot takes; 0 where it was not timed."""
        timing = self.timings.get(backbone)
        return 0.0 if timing is None else timing.evaluation

    def done(self, backbone: str) -> float:
        """Share of the search that is over in the middle of a run that starts now."""
        half = 0.5 * (self.seconds(backbone) or 0.0)
        return max((self.trials.tally.planned() + 0.5) / self.total, self.budget.share(half))

    def why_ended(self) -> str:
        """Why no further trial starts, in words."""
        if self.trials.settled() >= self.total:
            return f"all {self.total} trials are done"
        if not self.device_time.fits(self._shortest()):
            return f"no further trial fits into {self.device_hours:g} device-hours"
        left = self.budget.left()
        if left is not None:
            return "the time is over" if left <= 0 else "no further trial fits into the time left"
        causes = "; ".join(f"{name}: {reason}" for name, reason in self.trials.left_out.items())
        return f"no backbone is left to try ({causes})"

    def _shortest(self) -> float | None:
        """Seconds that the shortest run takes of those that may be tried."""
        names = [name for name in self.trials.spaces if name not in self.trials.left_out]
        known = [seconds for name in names if (seconds := self.seconds(name)) is not None]
        return min(known, default=None) if len(known) == len(names) else None
