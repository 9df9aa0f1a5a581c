"""What becomes of a run that does not end before its deadline.

A run that is cut has not decayed its learning rate, and is worth much less than a smaller one that
has.
"""

import time
from dataclasses import replace

from autoqa.planning.share_scale import shortened
from autoqa.training.jobs import TrialJob

SPARE = 1.05
"""Factor on the time that a run is expected to train, where it must end before the deadline."""

MIN_SHARE_DONE = 0.6
"""Share of its steps that a run must have done for the deadline to make a candidate of it. With
less, its rate has hardly fallen: it is kept as a checkpoint, and goes on in a later search."""


def share_that_fits(job: TrialJob, windows: int, snapshots: int) -> float | None:
    """The share of a run that ends before its deadline.

    Args:
        job: The run, not begun.
        windows: What it trains on.
        snapshots: Points of it that become candidates.

    Returns:
        ``None`` if all of it fits, if there is no deadline, or if nobody knows how fast it is.
    """
    if job.deadline is None or not job.windows_per_second:
        return None
    left = job.deadline - time.time() - job.evaluation * snapshots
    share = left * job.windows_per_second / (SPARE * windows)
    return share if 0 < share < 1 else None


def smaller(job: TrialJob, share: float) -> TrialJob:
    """The same run with this share of every portion; schedule and warm-up follow."""
    return replace(job, run=replace(job.run, recipe=shortened(job.run.recipe, share)))
