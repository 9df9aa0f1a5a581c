"""What a worker of any kind does with its jobs; the only place of the search that sees torch."""

import errno
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.errors import AutoqaError, PluginError, StoppedError, disk_fault
from autoqa.training.jobs import AnswerJob, DistilJob, Job, RefitJob, SoupJob, TimingJob, TrialJob
from autoqa.training.messages import DISK_FAULT, OUT_OF_MEMORY, Emit, TrialFailed

RunJob = Callable[[Job, Emit], None]
Factory = Callable[[StudyFile, Path], RunJob]
"""Called once in a worker; must be importable by name, because it may travel to a new process."""


def training_factory(study: StudyFile, run_folder: Path) -> RunJob:
    """Binds the study where this is called, and keeps a workbench between jobs.

    Args:
        study: The study file; plugins are looked up here, because their specs hold functions that
            do not travel between processes.
        run_folder: The study's folder.
    """
    registry = import_module("autoqa.registry")
    names = ("run", "soup", "refit", "distil", "timing", "workbench")
    run, soup, refit, distil, timing, workbench = (
        import_module(f"autoqa.training.{name}") for name in names
    )
    catalogue = registry.discover()
    bench = workbench.Workbench(registry.bind(study, catalogue), run_folder)

    def run_job(job: Job, emit: Emit) -> None:
        try:
            dispatch(job, emit)
        except AutoqaError:
            raise
        except Exception as error:
            plugin = registry.plugin_at_fault(error, catalogue)
            if plugin is None or _kind(error) in (OUT_OF_MEMORY, DISK_FAULT):
                raise
            raise PluginError(f"{plugin}: {_sentence(error)}") from error

    def dispatch(job: Job, emit: Emit) -> None:
        match job:
            case SoupJob():
                soup.make_soup(job, bench, emit)
            case RefitJob():
                refit.refit(job, bench, emit)
            case AnswerJob():
                refit.answer(job, bench, emit)
            case DistilJob():
                distil.distil(job, bench, emit)
            case TimingJob():
                timing.time_run(job, bench, emit)
            case TrialJob():
                run.run_trial(job, bench, emit)

    return run_job


class JobRunner:
    """Runs one job after another, and tells of an error instead of raising it.

    Args:
        factory: Called when the first job comes, and again as long as it fails.
        study: Handed to the factory.
        run_folder: Handed to the factory.
        emit: Takes the messages of all jobs.

    Attributes:
        job: The one that it runs.
    """

    def __init__(self, factory: Factory, study: StudyFile, run_folder: Path, emit: Emit) -> None:
        self._factory, self._study, self._run_folder = factory, study, run_folder
        self._emit = emit
        self._run_job: RunJob | None = None
        self.job: Job | None = None

    def run(self, job: Job) -> None:
        """Runs a job to its end; the last message is ``TrialFinished`` or ``TrialFailed``."""
        self.job = job
        try:
            if self._run_job is None:
                self._run_job = self._factory(self._study, self._run_folder)
            self._run_job(job, self._emit)
        except StoppedError as error:
            self._emit(TrialFailed(job.trial, str(error), "", _kind(error)))
        except SystemExit:  # ends the worker, whose log says why
            print(f"trial {job.trial} ends\n{traceback.format_exc()}", flush=True)  # noqa: T201
            raise
        except Exception as error:
            trace = traceback.format_exc()
            print(f"trial {job.trial} failed\n{trace}", flush=True)  # noqa: T201 - to the log
            self._emit(TrialFailed(job.trial, _sentence(error), trace, _kind(error)))
        finally:
            self.job = None


def _kind(error: Exception) -> str:
    """Class name of the error; one name for all ways in which memory runs out, or a disk fails."""
    # PyTorch's allocator for the CPU has no exception of its own.
    starved = isinstance(error, MemoryError) or "not enough memory" in str(error)
    if starved or getattr(error, "errno", None) == errno.ENOMEM:
        return OUT_OF_MEMORY
    return DISK_FAULT if disk_fault(error) else type(error).__name__


def _sentence(error: Exception) -> str:
    if isinstance(error, AutoqaError):
        return str(error)
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
