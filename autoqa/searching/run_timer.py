"""Runs are timed before the first trial, once per backbone, machine and number of workers."""

import hashlib
import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from autoqa.data import StudyData
from autoqa.env import cache_folder
from autoqa.files import write_atomically
from autoqa.planning.run_timing import RunTiming, mean_timing
from autoqa.recipes import TrainingRun
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.hearing import Hearing
from autoqa.supervision.interrupts import Interrupts, SearchInterruptedError
from autoqa.training.jobs import TimingJob
from autoqa.training.messages import BackboneTimed, Message, Progress, TrialFailed, TrialFinished
from autoqa.workers.base import Worker, WorkerPool
from autoqa.workers.resources import WorkerPlan


class RunTimer:
    """Knows how long runs of the backbones' protocols take, or has workers find out.

    What was measured stays in the cache folder of this machine. A machine is not always as busy, so
    a search that plans by it should not take what is old.

    Args:
        runs: One run of each backbone.
        study: Fingerprint of all that they depend on besides data and machine.
        data: The study's data.
        plan: The workers that will train.
    """

    def __init__(
        self, runs: Mapping[str, TrainingRun], study: str, data: StudyData, plan: WorkerPlan
    ) -> None:
        self.runs = runs
        sizes = {name: len(examples) for name, examples in data.train.items()}
        sizes |= {"public": len(data.public), "private": len(data.private)}
        self._common = {
            "study": study,
            "sizes": sizes,
            "workers": plan.count,
            "threads": plan.threads,
            "gpu": plan.devices[0] is not None,
            **({"width": plan.width} if plan.width > 1 else {}),
        }
        self._busy: dict[int, str] = {}
        self._heard: dict[str, list[RunTiming]] = {}
        self._left: list[str] = []

    def known(self, younger_than: float = math.inf) -> dict[str, RunTiming]:
        """Those that were measured before.

        Args:
            younger_than: Seconds; older ones are left out.
        """
        found = {}
        for backbone in self.runs:
            with suppress(OSError, ValueError, TypeError, KeyError):  # it can be measured again
                path = self._path(backbone)
                if time.time() - path.stat().st_mtime < younger_than:
                    content = json.loads(path.read_text(encoding="utf-8"))
                    found[backbone] = RunTiming.from_json(content)
        return found

    def _path(self, backbone: str) -> Path:
        content = {**self._common, "backbone": backbone, "run": self.runs[backbone].key}
        text = json.dumps(content, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        return cache_folder() / "timings" / f"{key}.json"

    def measure(
        self, backbones: list[str], pool: WorkerPool, run_folder: Path, display: Display
    ) -> dict[str, RunTiming]:
        """Has workers time some steps of runs, all of them at once: neighbours slow each other.

        A backbone that cannot be timed is told and left out.

        Args:
            backbones: Which ones.
            pool: The workers; they run on afterwards.
            run_folder: Where workers may write.
            display: What people see.

        Raises:
            SearchInterruptedError: A signal asked for the end.
        """
        count = max(len(backbones), len(pool.workers)) if backbones else 0
        self._left = [backbones[number % len(backbones)] for number in range(count)]
        hearing = Hearing(pool)
        with Interrupts(kill=pool.kill) as interrupts:
            while (self._left or self._busy) and not interrupts.stopping:
                for worker in pool.workers:
                    if self._left and worker.number not in self._busy:
                        self._busy[worker.number] = name = self._left.pop(0)
                        worker.assign(TimingJob(name, self.runs[name], run_folder))
                hearing.hear(
                    self._busy,
                    interrupts.wake,
                    Budget(),
                    receive=lambda worker, message: self._receive(worker, message, display),
                    lost=lambda worker, reason: self._failed(worker, reason, display),
                )
        if interrupts.stopping:
            raise SearchInterruptedError("the search was interrupted before its first trial")
        timings = {name: mean_timing(heard) for name, heard in self._heard.items()}
        for name, timing in timings.items():
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(timing.as_json(), indent=1) + "\n")
        return timings

    def _receive(self, worker: Worker, message: Message, display: Display) -> None:
        backbone = self._busy[worker.number]
        match message:
            case Progress():
                display.working(worker.number, backbone, message)
            case BackboneTimed(timing=timing):
                self._heard.setdefault(backbone, []).append(timing)
            case TrialFinished():
                del self._busy[worker.number]
                display.idle(worker.number)
            case TrialFailed(reason=reason):
                self._failed(worker, reason, display)

    def _failed(self, worker: Worker, reason: str, display: Display) -> None:
        # What failed may have left memory behind, a GPU's above all: a fresh process.
        worker.end()
        backbone = self._busy.pop(worker.number)
        self._left = [name for name in self._left if name != backbone]
        display.event(f"{backbone}: its runs could not be timed: {reason}")
