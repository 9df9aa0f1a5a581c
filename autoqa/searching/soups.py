"""Soups of a study's candidates: at the end of a search, or of one that is over."""

from collections.abc import Collection, Iterable, Sequence

from autoqa.errors import MissingAssetError, NothingFeasibleError
from autoqa.searching.mend import mend_candidates
from autoqa.searching.retention import Retention, with_weights
from autoqa.searching.setup import reopen
from autoqa.searching.soup_maker import SoupMaker
from autoqa.searching.soup_plan import (
    Soup,
    each_once,
    families,
    soup_of,
    soups_of_runs,
    standard_soups,
)
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import DamagedError
from autoqa.store.predictions import check_predictions
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.reported import leading
from autoqa.trials.optuna_study import adopt
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import Factory, training_factory
from autoqa.workers.registry import LOCAL_PROCESS, make_pool
from autoqa.workers.resources import plan_workers


def make_standard_soups(maker: SoupMaker) -> list[CandidateRecord]:
    """Makes all soups of :mod:`autoqa.searching.soup_plan` that there are not yet.

    Args:
        maker: What :func:`soup_maker` gave; no worker is running.

    Returns:
        The new candidates, those that were made early included.

    Raises:
        SearchInterruptedError: A signal asked for the end.
    """
    folder, store = maker.folder, maker.store
    for record in adopt(folder, store.candidates()):
        store.add_candidate(record)
    found = families(_averageable(folder, store, store.candidates()))
    return maker.run([soup for family in found for soup in standard_soups(family)], found)


def early_soups(maker: SoupMaker, running: Collection[int]) -> list[Soup]:
    """What is worth averaging while the search goes on: all candidates, and each run's.

    Args:
        maker: Makes them.
        running: Trials that are not over: their runs have further candidates to come.
    """
    records = [each for each in maker.store.candidates() if each.trial not in running]
    found = families(_averageable(maker.folder, maker.store, records))
    return [
        soup
        for family in found
        for soup in each_once([Soup(family, "all candidates"), *soups_of_runs(family)])
    ]


def soup(
    folder: RunFolder,
    store: Store,
    names: Sequence[str],
    display: Display,
    *,
    workers: str = LOCAL_PROCESS,
    factory: Factory = training_factory,
) -> list[CandidateRecord]:
    """Makes soups of a study that was searched before.

    Args:
        folder: The study's run folder; nothing else may write to it meanwhile.
        store: Its database.
        names: Ids of the candidates to average; empty for all standard soups.
        display: What people see.
        workers: The kind of worker.
        factory: Makes, inside a worker, the function that runs one job.

    Returns:
        The new candidates; none where all are there.

    Raises:
        ConfigError: The candidates cannot be averaged, or the study file is not the one that they
            were trained with.
        MissingAssetError: An ingredient's weights were dropped.
        NothingFeasibleError: There are no two candidates to average.
        DataError: The data are not those of then.
        SearchInterruptedError: A signal asked for the end; what was complete is kept.
    """
    with leading(store, "averaging", display) as display:
        for sentence in mend_candidates(folder, store):
            display.event(sentence)
        records = {record.id: record for record in store.candidates()}
        here = {record.id for record in _averageable(folder, store, records.values())}
        named = [soup_of(records, names, store.study)] if names else []
        if any(each.id in records for each in named):
            return []
        absent = [each.id for soup in named for each in soup.ingredients if each.id not in here]
        if absent:
            raise MissingAssetError(
                f"the weights of {', '.join(absent)} are not here: "
                f"`autoqa retrain {store.study} {' '.join(absent)}` makes dropped ones again"
            )
        if not named and not families([records[name] for name in here]):
            raise NothingFeasibleError(
                f"study {store.study!r} has no two candidates of one backbone, group and answer "
                "head whose weights are here: there is nothing to average"
            )
        bound, _ = reopen(folder, store)
        plan = plan_workers(bound.study.search.workers)
        settings = WorkerSettings(factory, bound.study, folder.path, plan, folder.logs)
        pool, gib = make_pool(workers, settings), bound.study.search.weights
        maker = soup_maker(pool, folder, store, display, weights=gib)
        return maker.run(named) if named else make_standard_soups(maker)


def soup_maker(
    pool: WorkerPool,
    folder: RunFolder,
    store: Store,
    display: Display,
    *,
    weights: float,
    budget: Budget | None = None,
) -> SoupMaker:
    """What makes a study's soups.

    Args:
        pool: Workers that train for this study.
        folder: The run folder; nobody else makes soups there.
        store: The study's database.
        display: What people see.
        weights: GiB that all weights together may take.
        budget: Time; left out, no limit.
    """
    keep = Retention(folder, store, weights)
    return SoupMaker(pool, folder, store, display, budget or Budget(), keep)


def _averageable(
    folder: RunFolder, store: Store, records: Iterable[CandidateRecord]
) -> list[CandidateRecord]:
    """Those whose weights are here, or can be fetched by the worker that averages them."""
    found = with_weights(folder, store, records)
    if store.files is not None:
        store.files.bring(found)
    return [each for each in found if _takes_part(folder, each.id)]


def _takes_part(folder: RunFolder, candidate: str) -> bool:
    try:
        check_predictions(folder, candidate)
    except DamagedError:  # told of where candidates are looked through
        return False
    return folder.candidate(candidate).is_dir()
