"""Workers that are spawned processes on this machine, as their parent sees them."""

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from autoqa import env
from autoqa.training.jobs import Job
from autoqa.training.messages import Message
from autoqa.workers import child
from autoqa.workers.base import WAIT_SECONDS, Events, Worker, WorkerPool, WorkerSettings
from autoqa.workers.resources import WorkerPlan

_spawn = get_context("spawn")


class LocalProcess(Worker):
    """One worker process, started when its first job comes and again after it ended.

    Args:
        number: Counts from 0; names the log file and picks the device.
        settings: What all workers share.
    """

    def __init__(self, number: int, settings: WorkerSettings) -> None:
        self.number = number
        self.log: Path = settings.log_of(number)
        self._settings = settings
        self._process: SpawnProcess | None = None
        self._pipe: Connection[Job | None, Message] | None = None

    def assign(self, job: Job) -> None:
        """Sends the job; starts the process where there is none."""
        if self._process is None or not self._process.is_alive():
            self.end()
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(job)
        except (BrokenPipeError, ConnectionResetError):
            # It died between two jobs; the caller sees the end of the pipe and treats it as such.
            return

    def _start(self) -> None:
        parent_end, child_end = _spawn.Pipe()
        settings = self._settings
        process = _spawn.Process(
            target=child.main,
            args=(child_end, settings.factory, settings.study, settings.run_folder, self.log),
            name=f"autoqa-worker-{self.number}",
            daemon=True,
        )
        # Messages name it, also where the process dies before it can write.
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        device = settings.plan.devices[self.number]
        with _environment(settings.plan, device), signals_held_back():
            process.start()
        child_end.close()
        self._process = process
        self._pipe = parent_end

    @property
    def connection(self) -> "Connection[Job | None, Message] | None":
        """Readable when there are messages, and when the process is gone."""
        return self._pipe

    def events(self) -> Events:
        """What lies in the pipe, and whether the process is gone."""
        messages: list[Message] = []
        if self._pipe is None:
            return Events()
        over = self._over  # first: what comes after it is no message
        try:
            while self._pipe.poll():
                messages.append(self._pipe.recv())
        except (EOFError, ConnectionResetError):
            over = True
        return Events(tuple(messages), died=over)

    def stop(self) -> None:
        """Sends SIGTERM: a run saves what it has done, any other job ends at once."""
        if self._process is not None:
            self._process.terminate()

    def stopped(self) -> bool:
        """Whether the process is gone; its pipe is read, so that it need not wait to be heard."""
        return self.events().died or self._process is None

    def end(self) -> None:
        """Ends the process and all that it has started with SIGKILL."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def kill(self) -> None:
        """Ends the process and all that it has started with SIGKILL, and does not wait."""
        if self._process is not None and self._process.pid is not None:
            # Its group is its own from its first line of code on, and goes by the same number.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()

    @property
    def _over(self) -> bool:
        """Whether the process is gone.

        What it has started may live on and hold the pipe open, so its end does not tell. It is not
        reaped here: as long as it is not, nobody else's group can have its number.
        """
        if self._process is None or self._process.pid is None:
            return True
        try:
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, options) is not None
        except ChildProcessError:  # reaped before
            return True

    @property
    def was_killed(self) -> bool:
        """Whether the process is gone by SIGKILL, which is how the kernel frees memory."""
        return self._process is not None and self._process.exitcode == -signal.SIGKILL

    def cause_of_death(self) -> str:
        """Exit code or signal of the process that is gone, and where its log is."""
        if self._process is None:
            return "worker was never started"
        self._join(5)
        code = self._process.exitcode
        if code is None:
            return "worker closed its pipe and did not end"
        if code >= 0:
            return f"worker ended by itself with exit code {code}; see {self.log}"
        hints: dict[int, str] = {
            signal.SIGKILL: ", often the kernel's way of saying out of memory",
            signal.SIGSEGV: ", a fault in native code",
        }
        name = signal.Signals(-code).name if -code in signal.valid_signals() else "unknown"
        hint = hints.get(-code, "")
        return f"worker was killed by signal {-code} ({name}{hint}); see {self.log}"

    def _join(self, seconds: float) -> None:
        """Waits for the end of the process, but not for that of what it has started."""
        limit = time.monotonic() + seconds
        while not self._over and time.monotonic() < limit:
            time.sleep(0.02)


class LocalProcessPool(WorkerPool):
    """As many worker processes as the plan has devices.

    Args:
        settings: What all workers share.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.workers: tuple[LocalProcess, ...] = tuple(
            LocalProcess(number, settings) for number in range(settings.plan.count)
        )

    def wait(self, numbers: Collection[int], wake: int) -> None:
        """Waits for the workers' pipes, which become readable at a process's end, too."""
        pipes = [
            worker.connection
            for worker in self.workers
            if worker.number in numbers and worker.connection is not None
        ]
        wait([*pipes, wake], timeout=WAIT_SECONDS)


@contextmanager
def _environment(plan: WorkerPlan, device: str | None) -> Iterator[None]:
    """A child takes its environment from here when it starts, before it can import anything."""
    variables = env.worker_environment(plan.threads, plan.width)
    if device is not None:
        variables["CUDA_VISIBLE_DEVICES"] = device
    before = {key: os.environ.get(key) for key in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


@contextmanager
def signals_held_back() -> Iterator[None]:
    """The child inherits the mask, so that no Ctrl-C can hit it before it ignores them.

    A signal to the parent in the meantime is not lost: it arrives when the block ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
