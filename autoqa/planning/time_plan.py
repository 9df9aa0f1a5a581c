"""How many runs of which size a time limit holds, and how small they must be made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from autoqa.errors import NothingFeasibleError
from autoqa.planning.run_timing import RunTiming
from autoqa.planning.share_scale import MIN_SHARE, ShareScale

MIN_RUNS = 2
"""Runs that each round of a search should hold within a study's minutes: an average of several
runs' weights is better than the best of them. Two long ones are worth far more than four middle
ones at equal windows (``tests/benchmarks/RESULTS.md``, Rounds)."""

MIN_STEPS = 50
"""Optimizer steps below which runs are not made smaller. The quickstart's runs have 52 to 66, which
is enough for an invented corpus; on real questions small encoders have left chance behind after 130
(their protocol)."""

MIN_SHARE_OF_RUN = 0.6
"""Share of a run that must fit into the time left for it to start; it is then made smaller, to end
in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePlan:
    """What a time limit holds.

    Attributes:
        minutes: The limit as it was set.
        workers: Runs at a time.
        runs: Whole runs that fit; 0 where the first must be made smaller to end in time.
        windows: Windows of a run, mean over backbones.
        seconds: What it takes, mean over backbones.
        scale: Makes runs smaller than the study file has them.
        whole_windows: Windows of a run that is not made smaller.
        whole_seconds: What that takes.
        too_long: Backbones of which not even most of a run fits.
    """

    minutes: float
    workers: int
    runs: int
    windows: int
    seconds: float
    scale: ShareScale
    whole_windows: int
    whole_seconds: float
    too_long: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """The plan for people."""
        side = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        runs = f"about {self.runs} run{'s' if self.runs > 1 else ''}"
        text = [
            f"{self.minutes:g} minutes hold {runs if self.runs else 'less than one run'} of "
            f"{self.windows:,} windows (about {_spelled(self.seconds)} each on {side})"
        ]
        if self.scale.factors:
            shares = ", ".join(
                f"{name} {'repeated ' if name == self.scale.target else ''}{factor:.0%}"
                for name, factor in sorted(self.scale.factors.items())
            )
            text.append(
                f"recipes are made smaller, so that several runs fit: of {self.whole_windows:,} "
                f"windows (about {_spelled(self.whole_seconds)} each) {self.windows:,} are left; "
                f"of the shares in the study file: {shares}. `fit = false` below [search] keeps "
                "them whole"
            )
        if self.too_long:
            text.append(f"no run of {' or '.join(self.too_long)} fits, so none is tried")
        return text


def plan_time(
    timings: Mapping[str, RunTiming],
    *,
    minutes: float,
    seconds: float,
    workers: int,
    snapshots: int,
    scale: ShareScale,
) -> TimePlan:
    """What a time limit holds, with runs of a given size.

    Args:
        timings: Of each backbone.
        minutes: The limit as it was set.
        seconds: What is left of it for runs.
        workers: Runs at a time.
        snapshots: Points of a run that become candidates.
        scale: Makes runs smaller.
    """
    each = list(timings.values())
    mean = fmean(timing.seconds(snapshots, scale) for timing in each)
    return TimePlan(
        minutes=minutes,
        workers=workers,
        runs=workers * int(max(0.0, seconds) / mean),
        windows=round(fmean(timing.windows(scale) for timing in each)),
        seconds=mean,
        scale=scale,
        whole_windows=round(fmean(timing.windows() for timing in each)),
        whole_seconds=fmean(timing.seconds(snapshots) for timing in each),
        too_long=tuple(
            name
            for name, timing in timings.items()
            if MIN_SHARE_OF_RUN * timing.seconds(snapshots, scale) > seconds
        ),
    )


def fit_scale(
    timings: Mapping[str, RunTiming],
    *,
    seconds: float,
    workers: int,
    snapshots: int,
    runs: int,
    target: str | None,
) -> ShareScale:
    """The scale with which the minimum of runs fits, or the smallest there may be.

    First the largest sources but the target are capped, all at the same number of windows; then the
    target's rows are repeated less. All backbones and recipes of the study get the same factors.

    Args:
        timings: Of each backbone.
        seconds: Time for runs.
        workers: Runs at a time.
        snapshots: Points of a run that become candidates.
        runs: As many should fit.
        target: The source that the study is about.

    Returns:
        A scale without factors where nothing needs to be smaller.
    """
    each = list(timings.values())
    turns = ceil(runs / workers)

    def fits(level: float) -> bool:
        scale = _at_level(level, each, target)
        return turns * fmean(t.seconds(snapshots, scale) for t in each) <= seconds

    def too_small(level: float) -> bool:
        scale = _at_level(level, each, target)
        return any(t.windows(scale) < min(t.windows(), MIN_STEPS * t.batch_size) for t in each)

    level = max(_highest(fits), _lowest_without(too_small))
    return _at_level(level, each, target)


def check_one_run(plan: TimePlan, seconds: float, *, backbones: int, fit: bool) -> None:
    """Refuses a limit that holds no run at all.

    Args:
        plan: For runs as small as they may be made.
        seconds: Time for runs.
        backbones: Of how many backbones runs were timed.
        fit: Whether they may be made smaller at all.

    Raises:
        NothingFeasibleError: Says how many minutes it takes.
    """
    if len(plan.too_long) < backbones:
        return
    spent = max(0.0, 60 * plan.minutes - seconds)
    # What is kept for soups and for the last snapshot grows with the limit.
    needed = ceil(1.2 * (plan.seconds + spent) / 60)
    smallest = "the smallest run that is worth training" if fit else "a run"
    way_out = "" if fit else "`fit = true` below [search], "
    raise NothingFeasibleError(
        f"search.minutes = {plan.minutes:g} holds no run: {smallest} has {plan.windows:,} windows "
        f"and takes about {_spelled(plan.seconds)} beside about {_spelled(spent)} for what comes "
        f"before and after; give it {needed} minutes or more, "
        f"{way_out}smaller shares, fewer validation questions or a smaller backbone"
    )


def _at_level(level: float, timings: Sequence[RunTiming], target: str | None) -> ShareScale:
    """From 2, nothing scaled, over 1, all but the target as small as may be, to 0, the target, too.

    Between 2 and 1 the level is a cap on windows of a source, between 1 and 0 the factor on the
    target's share.
    """
    sizes: dict[str, float] = {}
    for timing in timings:
        for portion in timing.portions:
            sizes[portion.source] = sizes.get(portion.source, 0.0) + portion.windows
    others = {name: size for name, size in sizes.items() if name != target}
    cap = max(others.values(), default=0.0) * max(0.0, level - 1)
    factors = {name: cap / size for name, size in others.items()}
    if target in sizes:
        factors[str(target)] = level
    rounded = {name: max(MIN_SHARE, float(f"{each:.3g}")) for name, each in factors.items()}
    return ShareScale({name: each for name, each in rounded.items() if each < 1}, target)


def _highest(fits: Callable[[float], bool]) -> float:
    """The highest level from 0 to 2 that fits; 0 if none does."""
    if fits(2.0):
        return 2.0
    low, high = 0.0, 2.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _lowest_without(too_small: Callable[[float], bool]) -> float:
    """The lowest level from 0 to 2 that is not too small."""
    if not too_small(0.0):
        return 0.0
    low, high = 0.0, 2.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if too_small(middle) else (low, middle)
    return high


def _spelled(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{max(1, round(seconds))} seconds"
