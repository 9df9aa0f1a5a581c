"""One search from a bound study to its result."""

from pathlib import Path

from optuna.trial import TrialState

from autoqa import env
from autoqa.data import StudyData
from autoqa.planning.run_timing import RunTiming
from autoqa.proposals.first_points import points
from autoqa.proposals.space import Space
from autoqa.registry import BoundStudy
from autoqa.searching.at_work import at_work
from autoqa.searching.conditions import Conditions
from autoqa.searching.mend import mend_candidates, mend_windows
from autoqa.searching.result import SearchResult, conclude
from autoqa.searching.rounds import sentences
from autoqa.searching.run_timer import RunTimer
from autoqa.searching.session import Session, WorkersWanted, open_session, open_trials
from autoqa.searching.setup import (
    Prepare,
    SearchOptions,
    build_spaces,
    check_augmentations,
    check_missing,
    fingerprint,
    freeze,
    source_languages,
)
from autoqa.searching.soups import make_standard_soups
from autoqa.searching.time_limit import (
    fit_to_time,
    protocol_runs,
)
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, keep_validation
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.training.refit_plan import offer
from autoqa.trials.warm_start import PastStudy, read_prior
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, open_workers
from autoqa.workers.width import choose_plan

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
    address: str | None = None,
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
        address: Where the cluster is, for a kind that has one.

    Raises:
        MissingAssetError: Weights or data are not on this machine, or a package for that kind.
        ConfigError: The study differs from the one it began with, there is no such kind, or an
            augmentation cannot work.
        AutoqaError: Another process leads the study, or the cluster cannot be used.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished, or the time limit holds none.
        MachineFaultError: Disk, memory or workers have failed too often, or for too long.
    """
    options = options or SearchOptions()
    check_missing(bound)
    check_augmentations(bound)
    study = bound.study
    folder = RunFolder(Path(env.run_folder(study.name)))
    with (
        at_work(study, folder, "search", display, leads=True, logs=folder.logs) as (lease, shown),
        open_workers(workers, folder.path, address) as kind,
    ):
        store = lease.store
        budget = Budget(options.limit(study))
        data = prepare(bound)
        spaces = _begin(bound, text, data, folder, store, accept=options.accept_changes)
        for note in data.notes:
            shown.event(note)
        trials = open_trials(study, spaces, lease, shown)
        wanted = WorkersWanted(kind, options.workers, folder.logs, factory)
        total = options.trials or study.search.trials
        session = open_session(
            bound, data, trials, lease, folder, shown, wanted, budget=budget, total=total
        )
        session = _prepared(session, options.workers)
        ended = _search(session, options.warm_start)
        found = store.candidates()
        return conclude(session.trials, found, ended, offer(study, data, found, session.plan.count))


def _begin(
    bound: BoundStudy, text: str, data: StudyData, folder: RunFolder, store: Store, *, accept: bool
) -> dict[str, Space]:
    """Freezes study and validation set at the first search, compares them later; gives spaces."""
    spaces = build_spaces(bound, source_languages(data))
    points(spaces, bound.study.search.enqueue)  # says what is wrong before anything is kept
    check_validation(folder, store, data.public, data.private)
    freeze(folder, store, bound.study, text, accept)
    keep_validation(folder, store, data.public, data.private)
    if store.files is not None:
        store.files.study.publish()
    return spaces


def _prepared(session: Session, workers: int | None) -> Session:
    """Mends what is damaged, settles what dead searches have left, gives each run its devices."""
    for sentence in (
        *mend_candidates(session.folder, session.store),
        *mend_windows(session.folder, session.study, session.data),
    ):
        session.display.event(sentence)
    _return_lost(session)
    session.peers.settle()
    session.catch_up()
    for name in session.folder.remove_partial(spare=session.peers.elsewhere()):
        session.display.event(f"removed {name}, which a dead search left half-written")
    return _laid_out(session, workers)


def _laid_out(session: Session, workers: int | None) -> Session:
    """The session with as many devices per run as the study says, or as the pace speaks for."""
    if not session.here:
        return session
    study, total = session.study, session.recorder.total
    done = len(session.trials.in_states(TrialState.COMPLETE))
    plan, sentences = choose_plan(
        study.search,
        workers or study.search.workers,
        lambda plan: _measured(session.with_plan(plan)),
        runs=max(1, total - done),
        seconds=session.for_trials.left(),
    )
    for sentence in sentences:
        session.display.event(sentence)
    return session.with_plan(plan)


def _measured(session: Session) -> dict[str, RunTiming]:
    """What runs take with the session's workers, measured now or a short while ago."""
    timer = _timer(session)
    known = timer.known(younger_than=FRESH_SECONDS)
    unknown = [name for name in timer.runs if name not in known]
    try:
        return known | _time(session, timer, unknown, f"with {session.plan.spelled()}")
    finally:
        session.pool.end()  # others want the devices


def _return_lost(session: Session) -> None:
    """Has here all that is among the shared files, for a database that has lost its rows."""
    files = session.store.files
    if files is not None and not session.store.candidates():
        for sentence in files.bring_all():
            session.display.event(sentence)


def _search(session: Session, past: PastStudy | None) -> str:
    """Times runs, has them fit, trains and averages; says why the search ended."""
    study, trials, display = session.study, session.trials, session.display
    soups = session.soup_maker()
    try:
        timings = _timings(session)
        for sentence in fit_to_time(
            trials,
            study,
            timings,
            budget=session.for_trials,
            workers=session.plan.count,
            total=session.recorder.total,
        ):
            display.event(sentence)
        if past is not None:  # in the spaces of recipes that fit
            trials.prior = read_prior(past, study, trials.spaces, session.data.private)
            display.event(trials.prior.sentence())
        for sentence in sentences(study.search.rounds):
            display.event(sentence)
        _let_others_join(session)
    except BaseException:
        session.pool.end()
        raise
    ended = session.train(timings, soups)
    if soups is not None:
        make_standard_soups(soups)
    return ended


def _let_others_join(session: Session) -> None:
    """From here on others can train for the study: nothing is left to decide but trials."""
    conditions = Conditions.of(
        session.trials,
        session.data,
        session.folder,
        session.budget,
        session.recorder.total,
        session.study.search.files,
        session.bound.change_keys(),
    )
    session.store.save_conditions(conditions.as_json())


def _timings(session: Session) -> dict[str, RunTiming]:
    """What runs take: as it was measured before, or now, where only a trial could tell."""
    if session.budget.minutes is None:
        return {}
    trials, timer = session.trials, _timer(session)
    begun = bool(trials.in_states())
    known = timer.known() if begun else timer.known(younger_than=FRESH_SECONDS)
    unknown = [
        name
        for name in timer.runs
        if name not in known and trials.look().usual(name, "next_seconds") is None
    ]
    return known | _time(session, timer, unknown, "first")


def _timer(session: Session) -> RunTimer:
    """Times protocols' runs on the session's workers."""
    runs = protocol_runs(session.trials.spaces, session.study.seed)
    return RunTimer(runs, fingerprint(session.study), session.data, session.plan)


def _time(session: Session, timer: RunTimer, unknown: list[str], how: str) -> dict[str, RunTiming]:
    """Has workers time some steps of backbones, if there are any to time."""
    if not unknown:
        return {}
    session.display.event(f"some steps of {' and '.join(unknown)} are timed {how}")
    return timer.measure(unknown, session.pool, session.folder.path, session.display)
