"""The process of a local worker: takes jobs from a pipe, runs them, reports.

It ends when the pipe closes, when it is told to, or when its parent is gone, and takes with it all
that it has started. SIGTERM lets a run save what it has done first.
"""

import faulthandler
import os
import signal
import threading
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType

from autoqa.config.study import StudyFile
from autoqa.errors import StoppedError
from autoqa.parallel.parent_end import signal_at_parents_end
from autoqa.training.jobs import Job
from autoqa.training.messages import Message, TrialFailed
from autoqa.training.stop_request import PROCESS, STOPPED
from autoqa.workers.job_runner import Factory, JobRunner


def main(
    pipe: "Connection[Message, Job | None]",
    factory: Factory,
    study: StudyFile,
    run_folder: Path,
    log: Path,
) -> None:
    """Runs jobs until told to stop.

    Args:
        pipe: Jobs come in, ``None`` ends; messages go out.
        factory: Makes the function that runs one job.
        study: Handed to the factory.
        run_folder: Handed to the factory.
        log: Takes everything that is printed here, native code included.
    """
    # Of its own group, so that what a plugin starts ends with it; and away from the terminal, whose
    # Ctrl-C is for the parent to decide on.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    log_to(log)
    signal_at_parents_end(signal.SIGCONT)  # should this be stopped, it must wake to end
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sending = threading.Lock()

    def emit(message: Message) -> None:
        with sending:  # a pipe is not made for two threads, and training may report from any
            try:
                pipe.send(message)
            except BrokenPipeError:  # the parent does not listen any more
                _end()

    runner = JobRunner(factory, study, run_folder, emit)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if PROCESS.ask():
            return
        # Nothing to save; that it was no fault of the job's is told where nothing is being told.
        if runner.job is not None and sending.acquire(blocking=False):
            with suppress(OSError):
                pipe.send(TrialFailed(runner.job.trial, STOPPED, "", StoppedError.__name__))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.killpg(0, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    while not PROCESS.asked and (job := _receive(pipe)) is not None:
        runner.run(job)


def _receive(pipe: "Connection[Message, Job | None]") -> Job | None:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return None


def log_to(path: Path) -> None:
    """From here on, all that this process prints is added to a file, native code's too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()


def _end_with_parent() -> None:
    """A killed parent closes nothing in an orderly way: training on would be for nobody."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _end()


def _end() -> None:
    """Ends this process with all that it has started."""
    os.killpg(0, signal.SIGKILL)
