"""Jobs that all have to succeed, handed to workers one after the other."""

from collections.abc import Callable, Mapping

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


def run_jobs(
    pool: WorkerPool,
    display: Display,
    jobs: Mapping[str, Job],
    what: str,
    finished: Callable[[str], None] = lambda _: None,
) -> None:
    """Runs all jobs; the first that fails ends the others.

    Args:
        pool: The workers. They are ended where something goes wrong, and else wait for more.
        display: What people see.
        jobs: By name, in the order in which they are begun.
        what: What is done to each, such as ``retraining``.
        finished: Called with the name of each job that is over.

    Raises:
        TrainingError, MachineFaultError: A job failed, or its worker died; says which.
        SearchInterruptedError: A signal asked for the end.
    """
    waiting, busy = list(jobs), dict[int, str]()

    def lost(worker: Worker, reason: str) -> None:
        raise TrainingError(f"{busy[worker.number]}: {reason}")

    def receive(worker: Worker, message: Message) -> None:
        name = busy[worker.number]
        match message:
            case Progress():
                display.working(worker.number, jobs[name].backbone, message)
            case RecipeCard(lines=lines):
                for line in lines:
                    display.event(f"{name}: {line}")
            case Note(text=text):
                display.event(f"{name}: {text}")
            case TrialFinished():
                finished(name)
                del busy[worker.number]
                display.idle(worker.number)
            case TrialFailed(reason=reason, error=error):
                raise _KINDS.get(error, TrainingError)(f"{name}: {reason}")

    try:
        hearing = Hearing(pool)
        with Interrupts(kill=pool.kill) as interrupts:
            while (waiting or busy) and not interrupts.stopping:
                for worker in pool.workers:
                    if waiting and worker.number not in busy:
                        name = busy[worker.number] = waiting.pop(0)
                        display.event(f"{what} {name} on worker {worker.number}")
                        worker.assign(jobs[name])
                hearing.hear(busy, interrupts.wake, Budget(), receive=receive, lost=lost)
        if waiting or busy:
            raise SearchInterruptedError(
                f"{what} was interrupted; what was complete is kept. The same command goes on"
            )
    except BaseException:
        pool.end()
        raise
