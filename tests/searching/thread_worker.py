"""A kind of worker for tests: a thread of this process. What a new kind has to write, in one file.

It dies of what is no ``Exception``; :class:`Killed` stands for a death from outside.
"""

import os
import queue
import select
import threading
from collections.abc import Collection

from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message
from autoqa.workers.base import WAIT_SECONDS, Events, Worker, WorkerPool, WorkerSettings
from autoqa.workers.job_runner import JobRunner


class Killed(BaseException):
    """Ends a thread as a signal ends a process."""


class _Ended(BaseException):
    """Raised in a thread that was told to end, at its next message."""


class _Run:
    """One life of a worker: a thread, and what it leaves behind."""

    def __init__(self, settings: WorkerSettings, bell: int) -> None:
        self.jobs: queue.Queue[TrialJob | None] = queue.Queue()
        self.messages: queue.Queue[Message] = queue.Queue()
        self.cause: BaseException | None = None
        self.told_to_end = False
        self._settings, self._bell = settings, bell
        self._thread = threading.Thread(target=self._work, name="toy-worker", daemon=True)
        self._thread.start()

    def _emit(self, message: Message) -> None:
        if self.told_to_end:
            raise _Ended
        self.messages.put(message)
        os.write(self._bell, b"!")

    def _work(self) -> None:
        each = self._settings
        runner = JobRunner(each.factory, each.study, each.run_folder, self._emit)
        try:
            while (job := self.jobs.get()) is not None:
                runner.run(job)
        except _Ended:
            return
        except BaseException as error:
            self.cause = error
            os.write(self._bell, b"!")

    def end(self) -> None:
        self.told_to_end = True
        self.jobs.put(None)
        self._thread.join(20)


class ThreadWorker(Worker):
    def __init__(self, number: int, settings: WorkerSettings, bell: int) -> None:
        self.number = number
        self._settings, self._bell = settings, bell
        self._run: _Run | None = None

    def assign(self, job: TrialJob) -> None:
        if self._run is None:
            self._run = _Run(self._settings, self._bell)
        self._run.jobs.put(job)

    def events(self) -> Events:
        if self._run is None:
            return Events()
        died = self._run.cause is not None  # first: what comes after it is no message
        messages = []
        while not self._run.messages.empty():
            messages.append(self._run.messages.get())
        return Events(tuple(messages), died)

    def stop(self) -> None:
        """A thread cannot be asked."""

    def stopped(self) -> bool:
        return True

    def end(self) -> None:
        if self._run is not None:
            self._run.end()
            self._run = None

    def kill(self) -> None:
        """Threads end with the process."""

    def cause_of_death(self) -> str:
        cause = None if self._run is None else self._run.cause
        return f"the thread ended with {cause!r}"

    @property
    def was_killed(self) -> bool:
        return self._run is not None and isinstance(self._run.cause, Killed)


class ThreadPool(WorkerPool):
    def __init__(self, settings: WorkerSettings) -> None:
        self._heard, bell = os.pipe()
        self.workers = [ThreadWorker(n, settings, bell) for n in range(settings.plan.count)]

    def wait(self, numbers: Collection[int], wake: int) -> None:
        ready, _, _ = select.select([self._heard, wake], [], [], WAIT_SECONDS)
        if self._heard in ready:
            os.read(self._heard, 4096)
