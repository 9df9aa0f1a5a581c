"""A process that joins the search of a study, which another one began."""

import time
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import TrialState

from autoqa import env
from autoqa.config.study import StudyFile
from autoqa.errors import ConfigError
from autoqa.registry import BoundStudy
from autoqa.searching.at_work import at_work
from autoqa.searching.conditions import Conditions
from autoqa.searching.session import Session, WorkersWanted, open_session, open_trials
from autoqa.searching.setup import Prepare, build_spaces, check_missing, source_languages
from autoqa.searching.soups import make_standard_soups
from autoqa.store.process_identity import ProcessIdentity
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.interrupts import Interrupts, SearchInterruptedError
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, open_workers

PATIENCE_SECONDS = 600.0
"""How long a process that came first waits for the one that begins the search."""

_POLL = 1.0


@dataclass(frozen=True, slots=True)
class JoinResult:
    """What a process did for a search that it joined.

    Attributes:
        study: The study's name.
        finished: Trials that it trained to their end.
        ended: Why it stopped, as a sentence.
    """

    study: str
    finished: int
    ended: str


def join_search(
    bound: BoundStudy,
    prepare: Prepare,
    *,
    storage: str | None = None,
    workers: int | None = None,
    minutes: float | None = None,
    display: Display | None = None,
    factory: Factory = training_factory,
) -> JoinResult:
    """Trains for a study until its search is over; goes on where the process that began it died.

    Args:
        bound: The study with its plugins, as the search keeps it.
        prepare: Loads, checks and splits the data.
        storage: URL of the study's database, in place of the study file's.
        workers: How many here; as the study file says if left out.
        minutes: A time limit of its own, in place of the search's.
        display: What people see.
        factory: Makes, inside a worker, the function that runs one trial.

    Raises:
        ConfigError: Code, data or the run folder are not those of the search.
        MissingAssetError: Weights or data are not on this machine.
        DataError: Another version of autoqa has begun the search.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
    """
    check_missing(bound)
    study = bound.study
    folder = RunFolder(Path(env.run_folder(study.name)))
    own = ProcessIdentity.own()
    logs = folder.logs / f"{own.host}-{own.pid}"  # others there have a worker 0, too
    with (
        at_work(study, folder, "worker", display, leads=False, logs=logs, storage=storage) as (
            lease,
            shown,
        ),
        open_workers(LOCAL_PROCESS, folder.path) as kind,
    ):
        conditions = _conditions(study, lease.store, shown)
        data = prepare(bound)
        files = lease.store.files
        conditions.check(study.name, data, folder, study.search.files, bound.change_keys())
        if files is not None:
            files.study.fetch()
        check_validation(folder, lease.store, data.public, data.private)
        spaces = build_spaces(bound, source_languages(data))
        trials = open_trials(study, spaces, lease, shown)
        trials.version = conditions.version
        trials.begin_after(conditions.history)
        wanted = WorkersWanted(kind, workers, logs, factory)
        budget, total = _budget(conditions, minutes), conditions.trials
        session = open_session(
            bound, data, trials, lease, folder, shown, wanted, budget=budget, total=total
        )
        _catch_up(session)
        ended = session.train({}, None)
        _succeed(session)
        return JoinResult(study.name, _finished(session), ended)


def _catch_up(session: Session) -> None:
    """Shares what is whole on this machine; without shared files, whoever leads sees it anyhow."""
    if session.store.files is not None:
        session.peers.settle()
        session.catch_up()


def _conditions(study: StudyFile, store: Store, display: Display) -> Conditions:
    """What the search asks of those who join; waits for one that is still beginning."""
    interrupted = "the worker was interrupted before the search began"
    with (
        Interrupts(kill=lambda: None) as interrupts,
        store.patience.checked_by(lambda: interrupts.check(interrupted)),
    ):
        end, told = time.monotonic() + PATIENCE_SECONDS, False
        while not interrupts.stopping:
            found = store.conditions()
            if found is not None:
                return Conditions.from_json(found)
            if time.monotonic() > end:
                raise ConfigError(
                    f"study {study.name!r}: no search of it has begun within "
                    f"{PATIENCE_SECONDS / 60:.0f} minutes: `autoqa search` begins one"
                )
            if not told:
                display.event(f"waits for the search of {study.name} to begin")
                told = True
            time.sleep(_POLL)
    raise SearchInterruptedError(interrupted)


def _budget(conditions: Conditions, minutes: float | None) -> Budget:
    if minutes is not None:
        return Budget(minutes)
    return Budget(conditions.minutes, conditions.start)


def _succeed(session: Session) -> None:
    """Does what the search does at its end, if the process that leads it has died."""
    soups = session.soup_maker()
    if soups is not None and session.peers.membership.take_lead():
        make_standard_soups(soups)


def _finished(session: Session) -> int:
    own = session.trials.searcher
    complete = map(TrialAttributes.of, session.trials.in_states(TrialState.COMPLETE))
    return sum(each.searcher == own for each in complete)
