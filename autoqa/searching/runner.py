"""One search from a bound study to its result."""

from pathlib import Path

from optuna.trial import TrialState

from autoqa import env
from autoqa.planning.run_timing import RunTiming
from autoqa.proposals.first_points import points
from autoqa.registry import BoundStudy
from autoqa.searching.conditions import Conditions
from autoqa.searching.machine_faults import told
from autoqa.searching.mend import mend_candidates, mend_windows
from autoqa.searching.result import SearchResult, conclude
from autoqa.searching.run_timer import RunTimer
from autoqa.searching.session import Session, open_session, open_trials
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
from autoqa.searching.time_limit import (
    fit_to_time,
    protocol_runs,
)
from autoqa.searching.trial_attributes import usual
from autoqa.searching.warm_start import PastStudy, read_prior
from autoqa.store.artifacts import Artifacts
from autoqa.store.patience import SEARCH_SECONDS, Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.sqlite_file import set_aside_damaged
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, keep_validation
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display, QuietDisplay
from autoqa.supervision.membership import taking_part
from autoqa.supervision.reported import ReportedDisplay
from autoqa.supervision.search_log import LoggedDisplay
from autoqa.training.refit_plan import offer
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, open_workers

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
        ConfigError: The study differs from the one it began with, or there is no such kind.
        AutoqaError: Another process leads the study, or the cluster cannot be used.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished, or the time limit holds none.
        MachineFaultError: Disk, memory or workers have failed too often, or for too long.
    """
    options = options or SearchOptions()
    check_missing(bound)
    study = bound.study
    folder = RunFolder(Path(env.run_folder(study.name)))
    folder.create()
    display = LoggedDisplay(display or QuietDisplay(), folder.logs / "search.log")
    patience = Patience(tell=display.event)
    url, files = folder.store_url(study.search.storage), study.search.files
    shared = Artifacts.reached(folder, files, patience)
    damaged = set_aside_damaged(url)
    if damaged is not None:
        display.event(damaged)
    with (
        told(folder),
        Store(url, study.name, patience, openings=folder.openings, files=shared) as store,
        taking_part(store, "search", leads=True) as membership,
        ReportedDisplay(display, membership) as shown,
        open_workers(workers, folder.path, address) as kind,
    ):
        patience.seconds = SEARCH_SECONDS  # from here on there is something to lose
        budget = Budget(options.minutes or study.search.minutes)
        data = prepare(bound)
        spaces = build_spaces(bound, source_languages(data))
        points(spaces, study.search.enqueue)  # says what is wrong before anything is kept
        check_validation(folder, store, data.public, data.private)
        freeze(folder, store, study, text, options.accept_changes)
        keep_validation(folder, store, data.public, data.private)
        if shared is not None:
            shared.study.publish()
        for note in data.notes:
            shown.event(note)
        session = open_session(
            bound,
            data,
            open_trials(study, spaces, membership, shown),
            membership,
            folder,
            shown,
            budget=budget,
            total=options.trials or study.search.trials,
            count=options.workers,
            kind=kind,
            logs=folder.logs,
            factory=factory,
        )
        _clear_up(session)
        ended = _search(session, options.warm_start)
        found = store.candidates()
        return conclude(session.trials, found, ended, offer(study, data, found, session.plan.count))


def _clear_up(session: Session) -> None:
    """Mends what is damaged, and settles what searches that died have left."""
    for sentence in (
        *mend_candidates(session.folder, session.store),
        *mend_windows(session.folder, session.data),
    ):
        session.display.event(sentence)
    _return_lost(session)
    session.peers.settle()
    session.catch_up()
    for name in session.folder.remove_partial(spare=session.peers.elsewhere()):
        session.display.event(f"removed {name}, which a dead search left half-written")


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
    )
    session.store.save_conditions(conditions.as_json())


def _timings(session: Session) -> dict[str, RunTiming]:
    """What runs take: as it was measured before, or now, where only a trial could tell."""
    if session.budget.minutes is None:
        return {}
    trials, study = session.trials, session.study
    runs = protocol_runs(trials.spaces, study.seed)
    timer = RunTimer(runs, fingerprint(study), session.data, session.plan)
    begun = bool(trials.in_states())
    known = timer.known() if begun else timer.known(younger_than=FRESH_SECONDS)
    finished = trials.in_states(TrialState.COMPLETE)
    unknown = [
        name
        for name in timer.runs
        if name not in known and usual(finished, name, "next_seconds") is None
    ]
    if not unknown:
        return known
    session.display.event(f"some steps of {' and '.join(unknown)} are timed first")
    return known | timer.measure(unknown, session.pool, session.folder.path, session.display)
