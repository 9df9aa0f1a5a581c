"""``devices_per_run = "auto"``: one device per run, or several, by the measured pace."""

from collections.abc import Callable, Mapping
from typing import Literal

from autoqa.config.study import SearchTable
from autoqa.planning.run_timing import RunTiming
from autoqa.planning.width import Layout, choose_layout, mean_seconds, wider_may_help
from autoqa.workers.resources import WorkerPlan, plan_workers

Timings = Callable[[WorkerPlan], Mapping[str, RunTiming]]
"""What runs take with such workers; nothing if that is not known and not to be measured."""


def choose_plan(
    search: SearchTable,
    workers: int | Literal["auto"],
    timings: Timings,
    *,
    runs: int,
    seconds: float | None,
) -> tuple[WorkerPlan, list[str]]:
    """The workers of a search, and sentences about why they have so many devices.

    Args:
        search: What the study says of its search.
        workers: How many, as the command line or the study file says.
        timings: Called for the workers whose pace must be known.
        runs: Runs wanted.
        seconds: Time for all of them; ``None`` for any.

    Raises:
        ConfigError: A run is to have more GPUs than there are.
    """
    width, snapshots = search.devices_per_run, len({*search.snapshots, 1.0})
    plan = plan_workers(workers, width)
    if width != "auto":
        return plan, []
    most = plan_workers("auto").count
    at_once = 1 if workers == "auto" else min(plan.count, most)
    wider = plan_workers(at_once, most // at_once)
    many = Layout(at_once=plan.count, width=1)
    wide = Layout(at_once=wider.count, width=wider.width)
    # Whether the time holds a whole run is known when it was timed, which nothing else needs.
    may = wider_may_help(many, wide, runs=runs, whole_run=0.0, seconds=None)
    if wide.width < 2 or not (may or seconds is not None):
        return plan, []
    narrow = timings(plan)
    if not narrow:
        return plan, []
    whole = mean_seconds(narrow, snapshots)
    if not wider_may_help(many, wide, runs=runs, whole_run=whole, seconds=seconds):
        return plan, []
    found = timings(wider)
    if not found.keys() >= narrow.keys():
        return plan, []
    layout, sentence = choose_layout(
        many,
        wide,
        runs=runs,
        whole_run=whole,
        wide_run=mean_seconds(found, snapshots),
        seconds=seconds,
    )
    return (wider if layout is wide else plan), [sentence]
