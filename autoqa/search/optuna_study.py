"""Opening the Optuna study, and clearing up after a search whose process died."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState
from sqlalchemy import event

from autoqa.errors import AutoqaError, ConfigError
from autoqa.search.space import Space
from autoqa.search.trials import Ledger
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.connection import tune_sqlite
from autoqa.store.run_folder import RunFolder


def open_study(name: str, url: str, seed: int) -> optuna.Study:
    """Opens or makes the Optuna study, as optuna-dashboard shows it.

    Raises:
        AutoqaError: The storage cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lite = url.startswith("sqlite")
    with warnings.catch_warnings():
        # The group option and metric names are marked experimental; both are meant.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            storage = optuna.storages.RDBStorage(
                url, engine_kwargs={"connect_args": {"timeout": 60}} if lite else None
            )
        except Exception as error:
            raise AutoqaError(f"search.storage: Optuna cannot open it: {error}") from error
        if lite:
            event.listen(storage.engine, "connect", tune_sqlite)
            if url != "sqlite://":  # a database in memory lives in its only connection
                storage.engine.dispose()
        study = optuna.create_study(
            storage=storage, study_name=name, direction="maximize", load_if_exists=True
        )
        # A resumed search must not draw the same numbers again.
        drawn = len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(
            multivariate=True, group=True, constant_liar=True, seed=seed + drawn
        )
        if study.metric_names != ["jaccard"]:
            study.set_metric_names(["jaccard"])
    return study


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
    now = space.distributions()
    for trial in trials:
        for name, then in trial.distributions.items():
            before, after = _values(then), _values(now.get(name, then))
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


def recover(ledger: Ledger, held: Sequence[CandidateRecord], last: float) -> list[str]:
    """Settles trials that a dead search left running; call under the run folder's lock.

    Args:
        ledger: The study's trials.
        held: All candidates known.
        last: Point of a run after which it is complete.

    Returns:
        One sentence per trial.
    """
    sentences = []
    for stale in ledger.trials(TrialState.RUNNING):
        trial = optuna.Trial(ledger.study, stale._trial_id)
        mine = [record for record in held if record.trial == stale.number]
        if any(record.fraction >= last for record in mine):
            ledger.finish(trial, mine, max(record.seconds for record in mine))
            sentences.append(f"trial {stale.number}: its search died after the run was complete")
        elif "duplicate_of" in stale.user_attrs or _has_successor(ledger, stale.number):
            ledger.study.tell(trial, state=TrialState.FAIL)
        else:
            queued = ledger.fail(trial, "parent died", "continue")
            sentences.append(
                f"trial {stale.number}: its search died while it ran"
                + ("; its parameters are queued again" if queued else "")
            )
    return sentences


def _has_successor(ledger: Ledger, number: int) -> bool:
    return any(
        number in (trial.user_attrs.get("retry_of"), trial.user_attrs.get("continues"))
        for trial in ledger.trials()
    )


def adopt(folder: RunFolder, held: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    """Candidates that are complete on disk and that a dead search did not write down."""
    known = {record.id for record in held}
    found = [folder.read_record(each) for each in folder.candidate_ids() if each not in known]
    return [record for record in found if math.isfinite(record.jaccard)]
