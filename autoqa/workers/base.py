"""The contract of a worker, whatever it is: a process here, a thread, a process elsewhere.

A search and a retraining know these classes only. A kind of worker is a subclass of
:class:`Worker`, one of :class:`WorkerPool` that makes them, and its line in
:mod:`autoqa.workers.registry`.

Everything here is called from the one thread that runs the search, but for
:meth:`WorkerPool.kill`, which a signal handler may call at any moment.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.training.jobs import Job
from autoqa.training.messages import Message
from autoqa.workers.job_runner import Factory
from autoqa.workers.resources import WorkerPlan

WAIT_SECONDS = 0.5
"""The longest wait for events: time limits are looked at this often."""

SAVING_SECONDS = 20.0
"""The longest wait for workers that save what they have done: of the 30 seconds that
a cluster leaves between SIGTERM and SIGKILL, enough remain to write down what became of them."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What all workers of one search have in common.

    Attributes:
        factory: Called once in each worker, when its first job comes; makes the function that
            runs one job.
        study: Handed to the factory.
        run_folder: Handed to the factory.
        plan: How many workers, and the threads and device of each.
        logs: Folder for what workers print.
    """

    factory: Factory
    study: StudyFile
    run_folder: Path
    plan: WorkerPlan
    logs: Path

    def log_of(self, number: int) -> Path:
        """File with what a worker prints.

        Args:
            number: The worker's.
        """
        return self.logs / f"worker-{number}.log"


@dataclass(frozen=True, slots=True)
class Events:
    """What came from a worker since it was asked last.

    Attributes:
        messages: In the order in which the job sent them.
        died: Whether the worker ended without being told to; all it ever sent has been handed
            over by then.
    """

    messages: tuple[Message, ...] = ()
    died: bool = False


class Worker(ABC):
    """Runs one job at a time; not running before its first job.

    Between death and :meth:`end`, every call of :meth:`events` says ``died``, and
    :meth:`cause_of_death` and :attr:`was_killed` tell why. After :meth:`end` the worker is as new:
    the next :meth:`assign` starts it again.

    Attributes:
        number: Counts from 0 within the pool.
        log: File with what it prints; ``None`` where it has none of its own.
    """

    number: int
    log: Path | None = None

    @abstractmethod
    def assign(self, job: Job) -> None:
        """Hands a job over and returns at once; starts the worker where it is not running.

        Only for a worker whose last job is over: after ``TrialFinished``, ``TrialFailed`` or
        :meth:`end`. A job that cannot be handed over, because the worker died in the meantime, is
        no error here: the next :meth:`events` say ``died``.
        """

    @abstractmethod
    def events(self) -> Events:
        """What has arrived; does not wait. Nothing, if the worker is not running."""

    @abstractmethod
    def stop(self) -> None:
        """Asks a running worker to save what it has done and to end; does not wait."""

    @abstractmethod
    def stopped(self) -> bool:
        """Whether a worker that was asked to stop is over; what it says meanwhile is lost."""

    @abstractmethod
    def end(self) -> None:
        """Ends the worker with whatever it does and has started, at once; may be repeated.

        Messages that were not asked for are lost.
        """

    @abstractmethod
    def kill(self) -> None:
        """Ends the worker at once and does not wait; nothing else is called afterwards."""

    @abstractmethod
    def cause_of_death(self) -> str:
        """A sentence for people, without a full stop; may wait for some seconds."""

    @property
    @abstractmethod
    def was_killed(self) -> bool:
        """Whether it died from outside, as by the kernel out of memory; false while it runs.

        The job is then tried again in smaller forward passes.
        """


class WorkerPool(ABC):
    """All workers of one search, of one kind: ``settings.plan.count`` of them, numbered from 0.

    Attributes:
        workers: In the order of their numbers.
    """

    workers: Sequence[Worker]

    @abstractmethod
    def wait(self, numbers: Collection[int], wake: int) -> None:
        """Returns when something has happened, or after :data:`WAIT_SECONDS`.

        Args:
            numbers: The workers whose events end the wait.
            wake: Descriptor that ends the wait when it becomes readable; it is not read.
        """

    def listen(self, numbers: Collection[int], wake: int) -> Iterator[tuple[Worker, Events]]:
        """Waits, then asks each of the workers for its events.

        Args:
            numbers: The workers that have a job.
            wake: Descriptor that ends the wait, too.
        """
        busy = [worker for worker in self.workers if worker.number in numbers]
        self.wait(numbers, wake)
        for worker in busy:
            yield worker, worker.events()

    def end(self) -> None:
        """Ends all workers, with time to save what they do; they may be assigned jobs again."""
        end_saving(self.workers)

    def kill(self) -> None:
        """Ends all workers at once, because this process is about to end."""
        for worker in self.workers:
            worker.kill()


def end_saving(workers: Collection[Worker], seconds: float = SAVING_SECONDS) -> None:
    """Ends workers, all together, with some time to save what they have done.

    Args:
        workers: Running or not.
        seconds: After which what they have not saved is lost.
    """
    for worker in workers:
        worker.stop()
    limit = time.monotonic() + seconds
    running = list(workers)
    while running and time.monotonic() < limit:
        time.sleep(0.02)
        running = [worker for worker in running if not worker.stopped()]
    for worker in workers:
        worker.end()
