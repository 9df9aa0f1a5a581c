"""One search from a bound study to its result."""

from functools import partial
from pathlib import Path

from autoqa import env
from autoqa.search.budget import Budget
from autoqa.search.display import Display, QuietDisplay
from autoqa.search.first_points import points
from autoqa.search.loop import Loop
from autoqa.search.optuna_study import adopt, check_spaces, open_study, recover
from autoqa.search.result import SearchResult, conclude
from autoqa.search.retention import retain
from autoqa.search.setup import (
    Bound,
    Prepare,
    SearchOptions,
    build_spaces,
    check_missing,
    fingerprint,
    freeze,
    source_languages,
)
from autoqa.search.trials import Ledger
from autoqa.search.workers.child import Factory, training_factory
from autoqa.search.workers.local_process import Post, Worker
from autoqa.search.workers.resources import plan_workers
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, keep_validation


def run_search(
    bound: Bound,
    text: str,
    prepare: Prepare,
    options: SearchOptions | None = None,
    *,
    display: Display | None = None,
    factory: Factory = training_factory,
) -> SearchResult:
    """Searches, or goes on with a search.

    Args:
        bound: The study with its plugins.
        text: The study file's text, kept beside the results.
        prepare: Loads, checks and splits the data (``autoqa.data.prepare_data``).
        options: What the command line changes.
        display: What people see; nothing if left out.
        factory: Makes, inside a worker, the function that runs one trial.

    Raises:
        MissingAssetError: Weights or data are not on this machine.
        ConfigError: The study differs from the one it began with.
        AutoqaError: Another search holds the run folder.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished.
    """
    options = options or SearchOptions()
    check_missing(bound)
    folder = RunFolder(Path(env.run_folder(bound.study.name)))
    with folder.lock(), display or QuietDisplay() as shown:
        folder.create()
        url = folder.store_url(bound.study.search.storage)
        with Store(url, bound.study.name) as store:
            return _search(bound, text, prepare, options, shown, factory, folder, store)


def _search(
    bound: Bound,
    text: str,
    prepare: Prepare,
    options: SearchOptions,
    display: Display,
    factory: Factory,
    folder: RunFolder,
    store: Store,
) -> SearchResult:
    study = bound.study
    budget = Budget(options.minutes or study.search.minutes)
    data = prepare(bound)
    spaces = build_spaces(bound, source_languages(data))
    first = points(spaces, study.search.enqueue)
    check_validation(folder, store, data.public, data.private)
    freeze(folder, store, study, text, options.accept_changes)
    keep_validation(folder, store, data.public, data.private)
    for note in data.notes:
        display.event(note)
    optuna_study = open_study(study.name, folder.store_url(study.search.storage), study.seed)
    check_spaces(optuna_study, spaces)
    ledger = Ledger(optuna_study, spaces, first, study.seed, fingerprint(study), note=display.event)
    complete = max(study.search.snapshots)
    _clear_up(ledger, folder, store, complete, display)
    plan = plan_workers(options.workers or study.search.workers)
    display.event(
        f"{plan.spelled()}; {len(data.public)} public "
        f"and {len(data.private)} private validation questions"
    )
    post = Post(factory, study, folder.path, plan, folder.logs)
    loop = Loop(
        ledger=ledger,
        store=store,
        folder=folder,
        workers=[Worker(number, post) for number in range(plan.count)],
        budget=budget,
        total=options.trials or study.search.trials,
        complete=complete,
        display=display,
        retain=partial(retain, folder, store, study.search.weights),
    )
    ended = loop.run()
    return conclude(ledger, store.candidates(), ended)


def _clear_up(
    ledger: Ledger, folder: RunFolder, store: Store, complete: float, display: Display
) -> None:
    for name in folder.remove_partial():
        display.event(f"removed {name}, which a dead search left half-written")
    for record in adopt(folder, store.candidates()):
        store.add_candidate(record)
        display.event(f"candidate {record.id} was complete on disk and is written down now")
    for sentence in recover(ledger, store.candidates(), complete):
        display.event(sentence)
