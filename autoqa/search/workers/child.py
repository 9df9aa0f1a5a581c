"""A worker process: takes jobs from a pipe, trains, reports; the only place that sees torch.

It ends when the pipe closes, when it is told to, or when its parent is gone.
"""

import faulthandler
import os
import signal
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.errors import AutoqaError
from autoqa.training.messages import Emit, Message, TrialFailed, TrialJob

RunTrial = Callable[[TrialJob, Emit], None]
Factory = Callable[[StudyFile, Path], RunTrial]
"""Called once in a worker; must be importable by name, because workers are spawned."""


def training_factory(study: StudyFile, run_folder: Path) -> RunTrial:
    """The real thing: binds the study in this process and keeps a workbench between trials.

    Args:
        study: The study file; plugins are looked up here, because their specs hold functions that
            do not travel between processes.
        run_folder: The study's folder.
    """
    registry = import_module("autoqa.registry")
    run = import_module("autoqa.training.run")
    bench = run.Workbench(registry.bind(study, registry.discover()), run_folder)

    def run_trial(job: TrialJob, emit: Emit) -> None:
        run.run_trial(job, bench, emit)

    return run_trial


def main(
    pipe: "Connection[Message, TrialJob | None]",
    factory: Factory,
    study: StudyFile,
    run_folder: Path,
    log: Path,
) -> None:
    """Runs jobs until told to stop.

    Args:
        pipe: Jobs come in, ``None`` ends; messages go out.
        factory: Makes the function that runs one trial.
        study: Handed to the factory.
        run_folder: Handed to the factory.
        log: Takes everything that is printed here, native code included.
    """
    # Ctrl-C reaches every process of the terminal; what then happens is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    _log_to(log)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_trial: RunTrial | None = None
    turn = threading.Lock()

    def emit(message: Message) -> None:
        with turn:  # a pipe is not made for two threads, and training may report from any
            pipe.send(message)

    while (job := _receive(pipe)) is not None:
        try:
            if run_trial is None:
                run_trial = factory(study, run_folder)
            run_trial(job, emit)
        except BrokenPipeError:
            os._exit(1)
        except Exception as error:
            trace = traceback.format_exc()
            print(f"trial {job.trial} failed\n{trace}", flush=True)  # noqa: T201 - to the log
            emit(TrialFailed(job.trial, _sentence(error), trace, _kind(error)))


def _receive(pipe: "Connection[Message, TrialJob | None]") -> TrialJob | None:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return None


def _log_to(path: Path) -> None:
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
        os._exit(1)


def _kind(error: Exception) -> str:
    """Class name of the error; one name for all ways in which memory runs out."""
    # PyTorch's allocator for the CPU has no exception of its own.
    starved = isinstance(error, MemoryError) or "not enough memory" in str(error)
    return "OutOfMemoryError" if starved else type(error).__name__


def _sentence(error: Exception) -> str:
    if isinstance(error, AutoqaError):
        return str(error)
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
