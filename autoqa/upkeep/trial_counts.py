"""How many trials of a study are in which state, read without changing anything."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from autoqa.errors import AutoqaError
from autoqa.store.database_url import database_url, make_engine, reading_options, reading_url, shown
from autoqa.store.patience import cause
from autoqa.trials.trial_attributes import TrialAttributes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCounts:
    """Trials by state.

    Attributes:
        finished: Trained to their end.
        running: With a process that is alive.
        interrupted: With one that is not; the next search goes on with them.
        waiting: Queued.
        failed: Failed for a reason of their own, or skipped.
        repeated: Repeated another, and were not trained.
        elsewhere: Trained in another study that this one began with.
    """

    finished: int = 0
    running: int = 0
    interrupted: int = 0
    waiting: int = 0
    failed: int = 0
    repeated: int = 0
    elsewhere: int = 0

    @classmethod
    def of(cls, trials: Iterable[FrozenTrial], alive: Collection[str]) -> Self:
        """Counts a study's trials; those whose parameters were queued again are left out.

        Args:
            trials: All of them.
            alive: Ids of the processes that work on the study.
        """
        numbers = dict.fromkeys(cls.__slots__, 0)
        for trial in trials:
            state = _state(trial, alive)
            if state is not None:
                numbers[state] += 1
        return cls(**numbers)


def _state(trial: FrozenTrial, alive: Collection[str]) -> str | None:
    attributes = TrialAttributes.of(trial)
    if attributes.elsewhere:
        return "elsewhere"
    if attributes.duplicate_of is not None:
        return "repeated"
    match trial.state:
        case TrialState.COMPLETE:
            return "finished"
        case TrialState.RUNNING:
            return "running" if attributes.searcher in alive else "interrupted"
        case TrialState.WAITING:
            return "waiting"
    return None if attributes.queued_again else "failed"


def read_trials(storage: str, study: str) -> list[FrozenTrial]:
    """A study's trials as Optuna keeps them; empty before its search proposes any.

    Args:
        storage: URL of the study's database.
        study: Its name.

    Raises:
        AutoqaError: The tables cannot be read.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = database_url(storage)
    engine = make_engine(url, read_only=True)
    try:
        if not inspect(engine).has_table("studies"):
            return []
        # Optuna takes its address for a format string.
        address = reading_url(url).render_as_string(hide_password=False)
        tables = optuna.storages.RDBStorage(
            address.replace("{", "{{").replace("}", "}}"),
            reading_options(url),
            skip_table_creation=True,
        )
        try:
            number = tables.get_study_id_from_name(study)
            return tables.get_all_trials(number, deepcopy=False)
        except KeyError:
            return []
        finally:
            tables.engine.dispose()
    except SQLAlchemyError as error:
        raise AutoqaError(f"{shown(url)}: Optuna's tables failed: {cause(error)}") from error
    except Exception as error:
        raise AutoqaError(f"{shown(url)}: Optuna's tables cannot be read: {error}") from error
    finally:
        engine.dispose()
