"""Whether each run has one device, and many run at a time, or several, and fewer run at a time.

More runs win in general: two devices hardly ever make a run twice as fast, and a search learns from
the number of its runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from autoqa.planning.run_timing import RunTiming


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A way to use a machine's devices.

    Attributes:
        at_once: Runs at a time.
        width: Devices of each.
    """

    at_once: int
    width: int

    def seconds(self, runs: int, each: float) -> float:
        """Time for some runs that take so long each."""
        return ceil(runs / self.at_once) * each


def wider_may_help(
    many: Layout, wide: Layout, *, runs: int, whole_run: float, seconds: float | None
) -> bool:
    """Whether it is worth finding out how fast wider runs are.

    Args:
        many: Runs on one device each.
        wide: Runs on several.
        runs: Runs wanted.
        whole_run: Seconds of one on one device.
        seconds: Time for all of them; ``None`` for any.
    """
    if wide.width < 2:
        return False
    idle = runs < many.at_once or many.at_once <= wide.at_once
    return idle or (seconds is not None and whole_run > seconds)


def choose_layout(
    many: Layout,
    wide: Layout,
    *,
    runs: int,
    whole_run: float,
    wide_run: float,
    seconds: float | None,
) -> tuple[Layout, str]:
    """Chooses by the measured pace.

    Wider runs are chosen where devices would have nothing to do otherwise, because fewer runs are
    wanted, and all of those are over earlier; and where the time holds no whole run on one device,
    but one on several.

    Args:
        many: Runs on one device each.
        wide: Runs on several.
        runs: Runs wanted.
        whole_run: Seconds of one on one device, beside its neighbours.
        wide_run: Seconds of one on several devices.
        seconds: Time for all of them; ``None`` for any.

    Returns:
        The layout, and a sentence for people.
    """
    place, pace = f"{wide.width} devices", f"{whole_run / wide_run:.1f} times as fast"
    if seconds is not None and wide_run <= seconds < whole_run:
        return wide, (
            f"each run is trained on {place}, {pace} as on one: the time holds no whole run on one"
        )
    if not wider_may_help(many, wide, runs=runs, whole_run=whole_run, seconds=seconds):
        return many, (
            f"each run is trained on one device: there are runs enough for all {many.at_once}"
        )
    apart, together = many.seconds(runs, whole_run), wide.seconds(runs, wide_run)
    if together < apart:
        return wide, (
            f"each run is trained on {place}, {pace} as on one: the {runs} wanted take "
            f"{together / apart:.0%} of the time that they take on one each"
        )
    return many, (
        f"each run is trained on one device: on {place} it is {pace}, which does not make up for "
        "fewer runs at a time"
    )


def mean_seconds(timings: Mapping[str, RunTiming], snapshots: int) -> float:
    """Seconds of a whole run, mean over backbones; at least one."""
    return fmean(timing.seconds(snapshots) for timing in timings.values())
