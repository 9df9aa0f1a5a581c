"""``--dry-run``: what the time limit holds, and how many devices each run gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from autoqa import env
from autoqa.config.study import StudyFile
from autoqa.data import StudyData
from autoqa.errors import NothingFeasibleError
from autoqa.planning.run_timing import RunTiming
from autoqa.recipes import TrainingRun
from autoqa.searching.run_timer import RunTimer
from autoqa.searching.setup import SearchOptions, fingerprint
from autoqa.searching.time_limit import new_plan
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.budget import SOUPS_SHARE, Budget
from autoqa.supervision.display import Display
from autoqa.workers.base import WorkerSettings
from autoqa.workers.job_runner import Factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import WorkerPlan
from autoqa.workers.width import choose_plan


@dataclass(frozen=True)
class Timers:
    """What runs take with workers of any plan.

    Attributes:
        study: The study.
        data: Its data.
        runs: One run of each backbone.
        measures: Whether workers may find out what nobody has timed yet.
        display: What people see meanwhile.
        factory: Makes, inside a worker, the function that runs one job.
    """

    study: StudyFile
    data: StudyData
    runs: Mapping[str, TrainingRun]
    measures: bool
    display: Display
    factory: Factory

    def known(self, plan: WorkerPlan) -> dict[str, RunTiming]:
        """Of all backbones, or nothing."""
        timer = RunTimer(self.runs, fingerprint(self.study), self.data, plan)
        if self.measures:
            _measure(timer, self.study, plan, self.display, self.factory)
        known = timer.known()
        return known if len(known) == len(self.runs) else {}


def in_time(
    study: StudyFile, options: SearchOptions, timers: Timers
) -> tuple[WorkerPlan, list[str]]:
    """The workers, and sentences about what they do in the time.

    Args:
        study: The study.
        options: What the command line changes.
        timers: What runs take.

    Raises:
        ConfigError: A run is to have more GPUs than there are.
    """
    limit = options.limit(study)
    workers, sentences = choose_plan(
        study.search,
        options.workers or study.search.workers,
        timers.known,
        runs=options.trials or study.search.trials,
        seconds=None if limit is None else 60 * limit,
    )
    if limit is not None:
        sentences += _time(study, timers.known(workers), options, workers.count)
    return workers, sentences


def _measure(
    timer: RunTimer, study: StudyFile, plan: WorkerPlan, display: Display, factory: Factory
) -> None:
    """Has workers time what nobody has timed yet; they leave nothing but that."""
    with TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        folder.create()
        pool = make_pool(
            LOCAL_PROCESS, WorkerSettings(factory, study, folder.path, plan, folder.logs)
        )
        try:
            timer.measure(
                [name for name in timer.runs if name not in timer.known()],
                pool,
                folder.path,
                display,
            )
        finally:
            pool.end()


def _time(
    study: StudyFile, known: Mapping[str, RunTiming], options: SearchOptions, workers: int
) -> list[str]:
    limit = options.limit(study)
    if limit is None:
        return []
    if RunFolder(Path(env.run_folder(study.name))).study_file.exists():
        return ["the study was begun before, and its recipes keep the size that they have"]
    if not known:
        return [
            "what the minutes hold is known when some steps were timed: the search does so first, "
            "`--dry-run --time` does nothing else"
        ]
    reserve = SOUPS_SHARE if study.search.soups else 0.0
    trials = options.trials or study.search.trials
    try:
        plan = new_plan(
            study, known, budget=Budget(limit, reserve=reserve), workers=workers, trials=trials
        )
    except NothingFeasibleError as error:
        return [str(error)]
    return plan.sentences()
