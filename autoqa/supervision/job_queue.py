"""Jobs handed to workers one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autoqa.errors import DISK_FAULT, AutoqaError, MachineFaultError, TrainingError
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.hearing import Hearing
from autoqa.supervision.interrupts import Interrupts, SearchInterruptedError
from autoqa.training.jobs import Job
from autoqa.training.messages import (
    Message,
    Note,
    Progress,
    RecipeCard,
    TrialFailed,
    TrialFinished,
)
from autoqa.workers.base import Worker, WorkerPool

_KINDS: dict[str, type[AutoqaError]] = {DISK_FAULT: MachineFaultError}
"""What a job that failed is told as, where that is no TrainingError."""

JobFinished = Callable[[str, TrialFinished], None]
"""Takes the name of a job that is over, and its last message."""

JobFailed = Callable[[str, str, str], None]
"""Takes the name of a job that failed, a sentence, and the error's class name, if it had one."""


def run_jobs(
    pool: WorkerPool,
    display: Display,
    jobs: Mapping[str, Job],
    what: str,
    finished: JobFinished = lambda *_: None,
    *,
    wanted: Callable[[str], bool] = lambda _: True,
    failed: JobFailed | None = None,
    budget: Budget | None = None,
) -> None:
    """Runs all jobs; the first that fails ends the others, unless told otherwise.

    Args:
        pool: The workers. They are ended where something goes wrong, and else wait for more.
        display: What people see.
        jobs: By name, in the order in which they are begun.
        what: What is done to each, such as ``retraining``.
        finished: Called for each job that is over.
        wanted: Asked when a job's turn has come; one that is not wanted is left out.
        failed: Called for each job that failed for a reason of its own, or whose worker died,
            while the others go on; left out, it ends them.
        budget: After its end workers are stopped; left out, there is none.

    Raises:
        TrainingError, MachineFaultError: A job failed, or its worker died; says which.
        SearchInterruptedError: A signal asked for the end.
    """
    queue = _Queue(pool, display, jobs, what, finished, failed, list(jobs))
    try:
        hearing = Hearing(pool)
        with Interrupts(kill=pool.kill) as interrupts:
            while not interrupts.stopping and queue.begin(wanted):
                hearing.hear(
                    queue.busy,
                    interrupts.wake,
                    budget or Budget(),
                    receive=queue.receive,
                    lost=queue.lost,
                )
        if queue.waiting or queue.busy:
            raise SearchInterruptedError(
                f"{what} was interrupted; what was complete is kept. The same command goes on"
            )
    except BaseException:
        pool.end()
        raise


@dataclass
class _Queue:
    pool: WorkerPool
    display: Display
    jobs: Mapping[str, Job]
    what: str
    finished: JobFinished
    failed: JobFailed | None
    waiting: list[str]
    busy: dict[int, str] = field(default_factory=dict)

    def begin(self, wanted: Callable[[str], bool]) -> bool:
        """Gives idle workers what is wanted of the rest; says whether any work is going on."""
        for worker in self.pool.workers:
            while self.waiting and worker.number not in self.busy:
                name = self.waiting.pop(0)
                if wanted(name):
                    self.busy[worker.number] = name
                    self.display.event(f"{self.what} {name} on worker {worker.number}")
                    worker.assign(self.jobs[name])
        return bool(self.busy)

    def receive(self, worker: Worker, message: Message) -> None:
        name = self.busy[worker.number]
        match message:
            case Progress():
                self.display.working(worker.number, self.jobs[name].backbone, message)
            case RecipeCard(lines=lines):
                for line in lines:
                    self.display.event(f"{name}: {line}")
            case Note(text=text):
                self.display.event(f"{name}: {text}")
            case TrialFinished():
                self.finished(name, message)
                self._set_idle(worker)
            case TrialFailed(reason=reason, error=error):
                self._fail(worker, reason, error)

    def lost(self, worker: Worker, reason: str) -> None:
        self._fail(worker, reason, "")

    def _fail(self, worker: Worker, reason: str, error: str) -> None:
        name = self.busy[worker.number]
        if self.failed is None or error in _KINDS:
            raise _KINDS.get(error, TrainingError)(f"{name}: {reason}")
        worker.end()  # what failed may have left memory behind
        self.failed(name, reason, error)
        self._set_idle(worker)

    def _set_idle(self, worker: Worker) -> None:
        del self.busy[worker.number]
        self.display.idle(worker.number)
