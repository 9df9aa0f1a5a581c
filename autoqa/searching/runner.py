"""One search from a bound study to its result."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from autoqa import env
from autoqa.data import StudyData
from autoqa.registry import BoundStudy
from autoqa.searching.budget import SOUPS_SHARE, Budget
from autoqa.searching.display import Display, QuietDisplay
from autoqa.searching.first_points import points
from autoqa.searching.loop import Loop
from autoqa.searching.optuna_study import adopt, check_spaces, open_study, recover
from autoqa.searching.result import SearchResult, conclude
from autoqa.searching.retention import retain
from autoqa.searching.setup import (
    Prepare,
    SearchOptions,
    build_spaces,
    check_missing,
    fingerprint,
    freeze,
    source_languages,
)
from autoqa.searching.soups import make_standard_soups
from autoqa.searching.trials import Trials
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, keep_validation
from autoqa.training.refit_plan import offer
from autoqa.workers.base import WorkerSettings
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import plan_workers


def run_search(
    bound: BoundStudy,
    text: str,
    prepare: Prepare,
    options: SearchOptions | None = None,
    *,
    display: Display | None = None,
    factory: Factory = training_factory,
    workers: str = LOCAL_PROCESS,
) -> SearchResult:
    """Searches, or goes on with a search.

    Args:
        bound: The study with its plugins.
        text: The study file's text, kept beside the results.
        prepare: Loads, checks and splits the data (``autoqa.data.prepare_data``).
        options: What the command line changes.
        display: What people see; nothing if left out.
        factory: Makes, inside a worker, the function that runs one trial.
        workers: The kind of worker, by its name in ``autoqa.workers.registry``.

    Raises:
        MissingAssetError: Weights or data are not on this machine.
        ConfigError: The study differs from the one it began with, or there is no such kind.
        AutoqaError: Another search holds the run folder.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished.
    """
    options = options or SearchOptions()
    check_missing(bound)
    study = bound.study
    folder = RunFolder(Path(env.run_folder(study.name)))
    with folder.lock(), display or QuietDisplay() as shown:
        folder.create()
        with Store(folder.store_url(study.search.storage), study.name) as store:
            budget, gib = Budget(options.minutes or study.search.minutes), study.search.weights
            data = prepare(bound)
            freeze_study = partial(freeze, folder, store, study, text, options.accept_changes)
            trials = _open_trials(bound, data, folder, store, freeze_study, shown)
            plan = plan_workers(options.workers or study.search.workers)
            parts = f"{len(data.public)} public and {len(data.private)} private"
            shown.event(f"{plan.spelled()}; {parts} validation questions")
            settings = WorkerSettings(factory, study, folder.path, plan, folder.logs)
            loop = Loop(
                trials=trials,
                store=store,
                folder=folder,
                pool=make_pool(workers, settings),
                budget=replace(budget, reserve=SOUPS_SHARE if study.search.soups else 0.0),
                total=options.trials or study.search.trials,
                complete=max(study.search.snapshots),
                display=shown,
                retain=partial(retain, folder, store, gib),
            )
            ended = loop.run()
            if study.search.soups:
                make_standard_soups(loop.pool, folder, store, shown, weights=gib, budget=budget)
            found = store.candidates()
            return conclude(trials, found, ended, offer(study, data, found, plan.count))


def _open_trials(
    bound: BoundStudy,
    data: StudyData,
    folder: RunFolder,
    store: Store,
    freeze_study: Callable[[], None],
    display: Display,
) -> Trials:
    """Compares study and data with those it began with, and settles what a dead search left."""
    study = bound.study
    spaces = build_spaces(bound, source_languages(data))
    first = points(spaces, study.search.enqueue)
    check_validation(folder, store, data.public, data.private)
    freeze_study()
    keep_validation(folder, store, data.public, data.private)
    for note in data.notes:
        display.event(note)
    optuna_study = open_study(study.name, folder.store_url(study.search.storage), study.seed)
    check_spaces(optuna_study, spaces)
    trials = Trials(optuna_study, spaces, first, study.seed, fingerprint(study), note=display.event)
    for name in folder.remove_partial():
        display.event(f"removed {name}, which a dead search left half-written")
    for record in adopt(folder, store.candidates()):
        store.add_candidate(record)
        display.event(f"candidate {record.id} was complete on disk and is written down now")
    for sentence in recover(trials, store.candidates(), max(study.search.snapshots)):
        display.event(sentence)
    return trials
