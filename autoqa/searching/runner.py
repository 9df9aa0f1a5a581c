"""One search from a bound study to its result."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from optuna.trial import TrialState

from autoqa import env
from autoqa.config.study import StudyFile
from autoqa.data import StudyData
from autoqa.planning.hopeless import HopelessRuns
from autoqa.planning.run_timing import RunTiming
from autoqa.proposals.first_points import points
from autoqa.registry import BoundStudy
from autoqa.searching.loop import Loop
from autoqa.searching.machine_faults import told
from autoqa.searching.optuna_study import adopt, check_spaces, open_study, recover
from autoqa.searching.recording import Recorder
from autoqa.searching.result import SearchResult, conclude
from autoqa.searching.retention import retain
from autoqa.searching.run_timer import RunTimer
from autoqa.searching.setup import (
    Prepare,
    SearchOptions,
    build_spaces,
    check_missing,
    fingerprint,
    freeze,
    source_languages,
)
from autoqa.searching.soups import make_standard_soups, soup_maker
from autoqa.searching.time_limit import (
    fit_to_time,
    protocol_runs,
    snapshots_of,
    stored_scale,
    use_scale,
)
from autoqa.searching.trial_attributes import usual
from autoqa.searching.trials import Trials
from autoqa.searching.warm_start import PastStudy, read_prior
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, keep_validation
from autoqa.supervision.budget import SOUPS_SHARE, Budget
from autoqa.supervision.display import Display, QuietDisplay
from autoqa.supervision.search_log import LoggedDisplay
from autoqa.training.refit_plan import offer
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import WorkerPlan, plan_workers

FRESH_SECONDS = 600.0
"""Age at which a timing is too old to decide on the size of a study's recipes: the machine may have
been busier, or less, than it is now."""


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
        NothingFeasibleError: No trial ever finished, or the time limit holds none.
        MachineFaultError: Disk, memory or workers have failed too often, or for too long.
    """
    options = options or SearchOptions()
    check_missing(bound)
    study = bound.study
    folder = RunFolder(Path(env.run_folder(study.name)))
    logged = LoggedDisplay(display or QuietDisplay(), folder.logs / "search.log")
    with told(folder), folder.lock(), logged as shown:
        folder.create()
        with Store(folder.store_url(study.search.storage), study.name) as store:
            budget = Budget(options.minutes or study.search.minutes)
            data = prepare(bound)
            freeze_study = partial(freeze, folder, store, study, text, options.accept_changes)
            trials = _open_trials(bound, data, folder, store, freeze_study, shown)
            plan = plan_workers(options.workers or study.search.workers)
            parts = f"{len(data.public)} public and {len(data.private)} private"
            shown.event(f"{plan.spelled()}; {parts} validation questions")
            settings = WorkerSettings(factory, study, folder.path, plan, folder.logs)
            pool = make_pool(workers, settings)
            recorder = _recorder(trials, store, folder, options, study, shown)
            ended = _search(recorder, study, data, pool, plan, budget, options.warm_start)
            found = store.candidates()
            return conclude(trials, found, ended, offer(study, data, found, plan.count))


def _recorder(
    trials: Trials,
    store: Store,
    folder: RunFolder,
    options: SearchOptions,
    study: StudyFile,
    display: Display,
) -> Recorder:
    return Recorder(
        trials=trials,
        store=store,
        folder=folder,
        total=options.trials or study.search.trials,
        complete=max(study.search.snapshots),
        display=display,
        retain=partial(retain, folder, store, study.search.weights),
        hopeless=HopelessRuns(folder) if study.search.prune else None,
    )


def _search(
    recorder: Recorder,
    study: StudyFile,
    data: StudyData,
    pool: WorkerPool,
    plan: WorkerPlan,
    budget: Budget,
    past: PastStudy | None,
) -> str:
    """Times runs, has them fit, trains and averages; says why the search ended."""
    folder, store, display = recorder.folder, recorder.store, recorder.display
    trials, soups = recorder.trials, None
    for_trials = replace(budget, reserve=SOUPS_SHARE if study.search.soups else 0.0)
    if study.search.soups:
        gib = study.search.weights
        soups = soup_maker(pool, folder, store, display, weights=gib, budget=budget)
    timer = RunTimer(protocol_runs(trials.spaces, study.seed), fingerprint(study), data, plan)
    try:
        timings = _timings(recorder, timer, pool, for_trials)
        for sentence in fit_to_time(
            trials,
            study,
            timings,
            budget=for_trials,
            workers=plan.count,
            total=recorder.total,
        ):
            display.event(sentence)
        if past is not None:  # in the spaces of recipes that fit
            trials.prior = read_prior(past, study, trials.spaces, data.private)
            display.event(trials.prior.sentence())
    except BaseException:
        pool.end()
        raise
    loop = Loop(recorder, pool, for_trials, snapshots_of(study), timings, soups)
    ended = loop.run()
    if soups is not None:
        make_standard_soups(soups)
    return ended


def _timings(
    recorder: Recorder, timer: RunTimer, pool: WorkerPool, budget: Budget
) -> dict[str, RunTiming]:
    """What runs take: as it was measured before, or now, where only a trial could tell."""
    if budget.minutes is None:
        return {}
    begun = bool(recorder.trials.in_states())
    known = timer.known() if begun else timer.known(younger_than=FRESH_SECONDS)
    finished = recorder.trials.in_states(TrialState.COMPLETE)
    unknown = [
        name
        for name in timer.runs
        if name not in known and usual(finished, name, "next_seconds") is None
    ]
    if not unknown:
        return known
    recorder.display.event(f"some steps of {' and '.join(unknown)} are timed first")
    return known | timer.measure(unknown, pool, recorder.folder.path, recorder.display)


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
    use_scale(trials, stored_scale(trials))
    for name in folder.remove_partial():
        display.event(f"removed {name}, which a dead search left half-written")
    for record in adopt(folder, store.candidates()):
        store.add_candidate(record)
        display.event(f"candidate {record.id} was complete on disk and is written down now")
    for sentence in recover(trials, store.candidates(), max(study.search.snapshots)):
        display.event(sentence)
    return trials
