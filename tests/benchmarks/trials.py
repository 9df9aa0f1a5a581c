"""Trials of a study in a process of their own, as a worker runs them.

``python -m tests.benchmarks.trials STUDY RUNS first`` ends where the first trial begins to train;
with a number in place of ``first`` it runs that many trials and prints the resident memory after
each, in MiB.
"""

import re
import sys
from pathlib import Path

from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.training.jobs import TrialJob
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench

from .first_step import FirstStepReached, at_first_step, end_at_first_step


def run(bench: Workbench, number: int) -> None:
    """Trains on all rows of ``train`` in one stage; every trial has a seed of its own."""
    protocol = bench.bound.backbones["it"].protocol
    stage = Stage((Portion("train"),), protocol.length, protocol.stride)
    run = TrainingRun(Recipe((stage,)), 2e-4, number)
    job = TrialJob(number, "it", run, bench.run_folder)
    run_trial(job, bench, lambda message: None)


def until_first_step(bench: Workbench, number: int) -> bool:
    """Runs a trial to where its training begins; whether it got there."""

    def stop() -> None:
        raise FirstStepReached

    handle = at_first_step(stop)
    try:
        run(bench, number)
    except FirstStepReached:
        return True
    finally:
        handle.remove()
    return False


def resident() -> float:
    """Memory of this process, MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) / 1024


def main() -> None:
    bench = Workbench(open_study(Path(sys.argv[1])), Path(sys.argv[2]))
    if sys.argv[3] == "first":
        end_at_first_step()
    for number in range(1 if sys.argv[3] == "first" else int(sys.argv[3])):
        run(bench, number)
        print(f"{resident():.1f}", flush=True)


if __name__ == "__main__":
    main()
