"""Worker processes as the parent sees them: start, hand a job over, hear, end, replace."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from autoqa import env
from autoqa.config.study import StudyFile
from autoqa.search.workers import child as worker
from autoqa.search.workers.resources import WorkerPlan
from autoqa.training.messages import Message, TrialJob

_spawn = get_context("spawn")


@dataclass(frozen=True)
class Post:
    """What every worker of one search has in common."""

    factory: worker.Factory
    study: StudyFile
    run_folder: Path
    plan: WorkerPlan
    logs: Path


class Worker:
    """One worker process, started when its first job comes and again after it died.

    Args:
        number: Counts from 0; names the log file and picks the device.
        post: What all workers share.
    """

    def __init__(self, number: int, post: Post) -> None:
        self.number = number
        self.log = post.logs / f"worker-{number}.log"
        self._post = post
        self._process: SpawnProcess | None = None
        self._pipe: Connection[TrialJob | None, Message] | None = None

    @property
    def pid(self) -> int | None:
        """Process id, or ``None`` while there is no process."""
        return None if self._process is None else self._process.pid

    def assign(self, job: TrialJob) -> None:
        """Hands a job over; starts the process where there is none."""
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
        near, far = _spawn.Pipe()
        post = self._post
        process = _spawn.Process(
            target=worker.main,
            args=(far, post.factory, post.study, post.run_folder, self.log),
            name=f"autoqa-worker-{self.number}",
            daemon=True,
        )
        device = post.plan.devices[self.number]
        with _environment(post.plan.threads, device), _signals_held_back():
            process.start()
        far.close()
        self._process = process
        self._pipe = near

    @property
    def connection(self) -> "Connection[TrialJob | None, Message] | None":
        """Readable when there are messages, and when the process is gone."""
        return self._pipe

    def messages(self) -> tuple[list[Message], bool]:
        """Everything that arrived, and whether the process is gone."""
        heard: list[Message] = []
        if self._pipe is None:
            return heard, False
        try:
            while self._pipe.poll():
                heard.append(self._pipe.recv())
        except (EOFError, ConnectionResetError):
            return heard, True
        return heard, False

    def end(self) -> None:
        """Ends the process, kindly and then not."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.terminate()
            self._process.join(5)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
            self._process = None

    def kill(self) -> None:
        """Ends the process at once and does not wait."""
        if self._process is not None and self._process.pid is not None:
            self._process.kill()

    @property
    def killed(self) -> bool:
        """Whether the process is gone by SIGKILL, which is how the kernel frees memory."""
        return self._process is not None and self._process.exitcode == -signal.SIGKILL

    def death(self) -> str:
        """Why a process that is gone is gone, as a sentence."""
        if self._process is None:
            return "worker was never started"
        self._process.join(5)
        code = self._process.exitcode
        if code is None:
            return "worker closed its pipe and did not end"
        if code >= 0:
            return f"worker ended by itself with exit code {code}; see {self.log}"
        hint: dict[int, str] = {
            signal.SIGKILL: ", often the kernel's way of saying out of memory",
            signal.SIGSEGV: ", a fault in native code",
        }
        name = signal.Signals(-code).name if -code in signal.valid_signals() else "unknown"
        known = hint.get(-code, "")
        return f"worker was killed by signal {-code} ({name}{known}); see {self.log}"


def hear(workers: Sequence[Worker], wake: int) -> Iterator[tuple[Worker, list[Message], bool]]:
    """Waits half a second at most for any of the workers, then asks each.

    Args:
        workers: Those that run something.
        wake: Descriptor that ends the wait, too.

    Yields:
        Each worker, what arrived from it, and whether its process is gone.
    """
    pipes = [each.connection for each in workers if each.connection is not None]
    wait([*pipes, wake], timeout=0.5)
    for each in workers:
        yield each, *each.messages()


@contextmanager
def _environment(threads: int, device: str | None) -> Iterator[None]:
    """A child takes its environment from here when it starts, before it can import anything."""
    wanted = env.worker_environment(threads)
    if device is not None:
        wanted["CUDA_VISIBLE_DEVICES"] = device
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """The child inherits the mask, so that no Ctrl-C can hit it before it ignores them.

    A signal to the parent in the meantime is not lost: it arrives when the block ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
