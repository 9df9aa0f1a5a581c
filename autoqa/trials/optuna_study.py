"""Opening the Optuna study, and clearing up after a search whose process died."""

import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from autoqa.config.study import StudyFile
from autoqa.errors import AutoqaError, ConfigError
from autoqa.proposals.shown_trials import ShownTrials
from autoqa.proposals.space import Space
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import DamagedError
from autoqa.store.database_url import database_url, engine_options, make_engine, shown, tune
from autoqa.store.exclusive import exclusively
from autoqa.store.patience import Patience, cause
from autoqa.store.run_folder import RunFolder
from autoqa.trials.patient_storage import PatientStorage
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials
from autoqa.trials.warm_start import PastStudy
from autoqa.types import DEFAULT_METRIC

S = TypeVar("S", bound=PatientStorage)


def open_study(
    name: str,
    url: str,
    seed: int,
    patience: Patience | None = None,
    metric: str = DEFAULT_METRIC,
) -> optuna.Study:
    """Opens or makes the Optuna study, as optuna-dashboard shows it.

    Args:
        name: The study's name.
        url: Of its database.
        seed: Of its sampler.
        patience: How long its storage waits for an absent database, and who is told; left out,
            a few seconds and nobody.
        metric: What its trials' values are.

    Raises:
        AutoqaError: The storage cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # The group option and metric names are marked experimental; both are meant.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = open_storage(url, patience or Patience(), PatientStorage)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
        )
        # A resumed search must not draw the same numbers again.
        drawn = len(study.get_trials(deepcopy=False))
        study.sampler = ShownTrials(
            optuna.samplers.TPESampler(
                multivariate=True, group=True, constant_liar=True, seed=seed + drawn
            ),
            storage,
        )
        if study.metric_names != [metric]:
            study.set_metric_names([metric])
    return study


def open_storage(url: str, patience: Patience, kind: type[S]) -> S:
    """Optuna's tables, which one process at a time makes where they are missing.

    Args:
        url: Of the database.
        patience: How long to wait while it is away, and who is told.
        kind: What to open them as.

    Raises:
        AutoqaError: They cannot be opened.
    """
    parsed = database_url(url)
    where = shown(parsed)
    # Optuna takes its address for a format string.
    address = parsed.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    engine = make_engine(parsed)
    try:
        with exclusively(engine, "tables of Optuna", ".tables.lock", patience, where):
            storage = patience.insist(
                lambda: optuna.storages.RDBStorage(address, engine_options(parsed)), where
            )
    except AutoqaError:
        raise
    except Exception as error:
        said = cause(error) if isinstance(error, SQLAlchemyError) else str(error)
        raise AutoqaError(f"{where}: Optuna cannot open the study's database: {said}") from error
    finally:
        engine.dispose()
    tune(storage.engine)
    if parsed.database:  # a database in memory lives in its only connection
        storage.engine.dispose()
    return kind(storage, patience, where)


def remove_study(name: str, url: str) -> None:
    """Removes an Optuna study with its trials, if there is one.

    Args:
        name: The study's name.
        url: Of its database.

    Raises:
        AutoqaError: The storage cannot be opened, or fails.
    """
    storage = open_storage(url, Patience(), PatientStorage)
    with suppress(KeyError):
        storage.delete_study(storage.get_study_id_from_name(name))


def past_study(study: StudyFile, folder: RunFolder) -> PastStudy:
    """A study that was searched before, as another one's prior.

    Args:
        study: Its study file.
        folder: Its run folder.

    Raises:
        AutoqaError: Its storage cannot be opened.
        DataError: Its public questions are missing or damaged.
    """
    opened = open_folder(study, folder)
    return PastStudy(study, opened.get_trials(deepcopy=False), folder.load_examples("public"))


def check_spaces(study: optuna.Study, spaces: Mapping[str, Space]) -> None:
    """Refuses spaces that earlier trials of the study cannot be mixed with."""
    trials = study.get_trials(deepcopy=False)
    for space in spaces.values():
        check_unchanged(space, trials)


def check_unchanged(space: Space, trials: Sequence[optuna.trial.FrozenTrial]) -> None:
    """Refuses choices that differ from those an earlier trial had: Optuna cannot mix them.

    Raises:
        ConfigError: One sentence per parameter.
    """
    problems = {}
    distributions = space.distributions()
    for trial in trials:
        for name, earlier in trial.distributions.items():
            before, after = _values(earlier), _values(distributions.get(name, earlier))
            if before != after:
                problems[name] = (
                    f"{name}: its choices were {', '.join(map(str, before))} and are "
                    f"{', '.join(map(str, after))} now, which one search cannot mix: "
                    "give the changed study another name"
                )
    if problems:
        raise ConfigError(*problems.values())


def _values(distribution: BaseDistribution) -> tuple[Any, ...]:
    return distribution.choices if isinstance(distribution, CategoricalDistribution) else ()


def recover(
    trials: Trials,
    candidates: Sequence[CandidateRecord],
    complete: float,
    alive: Collection[str] = (),
) -> list[str]:
    """Settles trials that a dead search left running; one process at a time may do so.

    Args:
        trials: The study's trials.
        candidates: All of the study.
        complete: Point of a run after which nothing of it is missing.
        alive: Ids of the processes whose trials are left alone.

    Returns:
        One sentence per trial.
    """
    sentences = []
    for stale in trials.in_states(TrialState.RUNNING):
        if TrialAttributes.of(stale).searcher in alive:
            continue
        trial = optuna.Trial(trials.study, stale._trial_id)
        snapshots = [
            record for record in candidates if record.trial == stale.number and not record.derived
        ]
        if any(record.fraction >= complete for record in snapshots):
            trials.finish(trial, snapshots, max(record.seconds for record in snapshots))
            sentences.append(f"trial {stale.number}: its search died after the run was complete")
        elif _is_duplicate(stale) or _has_successor(trials, stale.number):
            TrialAttributes(queued_again=True).write(trial)  # so that it counts for nothing
            trials.study.tell(trial, state=TrialState.FAIL)
        else:
            queued = trials.fail(trial, "parent died", "continue")
            sentences.append(
                f"trial {stale.number}: its search died while it ran"
                + ("; its parameters are queued again" if queued else "")
            )
    return sentences


def _is_duplicate(trial: optuna.trial.FrozenTrial) -> bool:
    return TrialAttributes.of(trial).duplicate_of is not None


def _has_successor(trials: Trials, number: int) -> bool:
    attributes = map(TrialAttributes.of, trials.in_states())
    return any(number in (each.retry_of, each.continues) for each in attributes)


def adopt(folder: RunFolder, candidates: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    """Candidates that are complete on disk and that a dead search did not write down.

    Args:
        folder: The run folder.
        candidates: Those that are written down.
    """
    known = {record.id for record in candidates}
    records = []
    for name in folder.candidate_ids():
        # Damaged ones are told of, and set aside, where candidates are looked through.
        with suppress(DamagedError):
            if name not in known:
                records.append(folder.read_record(name))
    return [record for record in records if math.isfinite(record.score)]


def micro_scales(study: StudyFile, folder: RunFolder) -> dict[int, float]:
    """Trial number to the factor on its forward passes, below 1 where memory ran out."""
    return {
        number: TrialAttributes.of(trial).micro_scale or 1.0
        for number, trial in trials_of(study, folder).items()
    }


def trials_of(study: StudyFile, folder: RunFolder) -> dict[int, optuna.trial.FrozenTrial]:
    """All trials of a study that was searched, by number."""
    opened = open_folder(study, folder)
    return {trial.number: trial for trial in opened.get_trials(deepcopy=False)}


def open_folder(study: StudyFile, folder: RunFolder) -> optuna.Study:
    """Opens the Optuna study of a study that was searched."""
    url = folder.store_url(study.search.storage)
    return open_study(study.name, url, study.seed, metric=study.validation.metric)
