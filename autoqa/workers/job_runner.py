"""What a worker of any kind does with its jobs; the only place of the search that sees torch."""

import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.env import devices
from autoqa.errors import DISK_FAULT, OUT_OF_MEMORY, AutoqaError, PluginError, StoppedError
from autoqa.parallel.failure import kind_of, sentence_of
from autoqa.training.jobs import AnswerJob, DistilJob, Job, RefitJob, SoupJob, TimingJob, TrialJob
from autoqa.training.messages import Emit, TrialFailed
from autoqa.workers.device_use import with_device_use

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
    names = ("run", "soup", "refit", "distil", "timing", "workbench", "rank_process")
    run, soup, refit, distil, timing, workbench, rank_process = (
        import_module(f"autoqa.training.{name}") for name in names
    )
    catalogue = registry.discover()
    others = rank_process.others(devices())
    bench = workbench.Workbench(registry.bind(study, catalogue), run_folder, ranks=others)

    def run_job(job: Job, emit: Emit) -> None:
        try:
            dispatch(job, emit)
        except AutoqaError:
            raise
        except Exception as error:
            plugin = registry.plugin_at_fault(error, catalogue)
            if plugin is None or kind_of(error) in (OUT_OF_MEMORY, DISK_FAULT):
                raise
            raise PluginError(f"{plugin}: {sentence_of(error)}") from error
        finally:
            if others is not None:
                others.rest()

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
            self._run_job(job, with_device_use(self._emit))
        except StoppedError as error:
            self._emit(TrialFailed(job.trial, str(error), "", kind_of(error)))
        except SystemExit:  # ends the worker, whose log says why
            _log(f"trial {job.trial} ends\n{traceback.format_exc()}")
            raise
        except Exception as error:
            trace = traceback.format_exc()
            _log(f"trial {job.trial} failed\n{trace}")
            self._emit(TrialFailed(job.trial, sentence_of(error), trace, kind_of(error)))
        finally:
            self.job = None


def _log(text: str) -> None:
    """Prints to the worker's log, which may be on the very disk that is full.

    What went wrong is told all the same, or a fault of the disk would look like one of the run's.
    """
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201
