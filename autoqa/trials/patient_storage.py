"""Optuna's storage, which waits while its database is away and does nothing twice."""

import copy
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from autoqa.errors import AutoqaError, MachineFaultError
from autoqa.store.patience import Patience, cause
from autoqa.trials.trial_attributes import TrialAttributes

T = TypeVar("T")

_COUNTS = text(
    "SELECT COUNT(*), SUM(CASE WHEN state = 'COMPLETE' THEN 1 ELSE 0 END) FROM trials "
    "WHERE study_id = :study"
)

_TOKEN = "autoqa_token"
"""System attribute by which a new trial is found again whose number was lost on the way."""


def lost_trial(which: str) -> MachineFaultError:
    """What a process ends with whose running trial the database knows nothing of."""
    return MachineFaultError(
        f"the database lost the rows of {which} while a run of it went on here: its file or its "
        "log was damaged. The same command gives it back what is on disk, and goes on"
    )


def _repeated(name: str) -> Any:
    """A method of the storage that may be called again: it reads, or sets what it sets twice."""

    def method(self: "PatientStorage", *arguments: Any, **named: Any) -> Any:
        call = getattr(self._backend, name)
        return self._insist(lambda: call(*arguments, **named))

    method.__name__ = name
    return method


def _of_trial(name: str) -> Any:
    """The same for a method that begins with a trial's id."""

    def method(self: "PatientStorage", trial_id: int, *arguments: Any, **named: Any) -> Any:
        call = getattr(self._backend, name)
        try:
            return self._insist(lambda: call(trial_id, *arguments, **named))
        except KeyError as error:
            raise lost_trial("a trial") from error

    method.__name__ = name
    return method


class PatientStorage(BaseStorage):
    """Repeats what failed because the database was away.

    Args:
        storage: Optuna's storage in a database.
        patience: How long to wait, and who is told.
        where: The database as messages show it.
    """

    def __init__(self, storage: RDBStorage, patience: Patience, where: str) -> None:
        self._database = storage
        self._backend = get_storage(storage)
        self._engine = storage.engine
        self._patience = patience
        self._where = where
        self._failures = 0
        event.listen(self._engine, "handle_error", self._count_failure)

    create_new_study = _repeated("create_new_study")
    delete_study = _repeated("delete_study")
    set_study_user_attr = _repeated("set_study_user_attr")
    set_study_system_attr = _repeated("set_study_system_attr")
    get_study_id_from_name = _repeated("get_study_id_from_name")
    get_study_name_from_id = _repeated("get_study_name_from_id")
    get_study_directions = _repeated("get_study_directions")
    get_study_user_attrs = _repeated("get_study_user_attrs")
    get_study_system_attrs = _repeated("get_study_system_attrs")
    get_all_studies = _repeated("get_all_studies")
    set_trial_param = _of_trial("set_trial_param")
    set_trial_intermediate_value = _of_trial("set_trial_intermediate_value")
    set_trial_user_attr = _of_trial("set_trial_user_attr")
    set_trial_system_attr = _of_trial("set_trial_system_attr")
    get_trial = _of_trial("get_trial")
    get_trial_id_from_study_id_trial_number = _repeated("get_trial_id_from_study_id_trial_number")
    get_trial_number_from_id = _of_trial("get_trial_number_from_id")
    get_trial_param = _of_trial("get_trial_param")
    get_trial_params = _of_trial("get_trial_params")
    get_trial_user_attrs = _of_trial("get_trial_user_attrs")
    get_trial_system_attrs = _of_trial("get_trial_system_attrs")
    get_all_trials = _repeated("get_all_trials")
    get_n_trials = _repeated("get_n_trials")
    get_best_trial = _repeated("get_best_trial")

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Makes a trial, once: one whose number was lost is found again by its token."""
        template = copy.deepcopy(template_trial) or create_trial(state=TrialState.RUNNING)
        token = uuid.uuid4().hex
        template.system_attrs = {**template.system_attrs, _TOKEN: token}
        before = self._failures

        def attempt() -> int:
            self._probe()
            made = self._with_token(study_id, token) if self._failures > before else []
            return made[0] if made else self._backend.create_new_trial(study_id, template)

        trial = self._insist(attempt)
        if self._failures > before:
            for other in self._insist(lambda: self._with_token(study_id, token)):
                if other != trial:
                    self._discard(other)
        return trial

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Sets a state; one that it has when that is repeated was set before the answer was lost.

        Of two processes that take the same queued trial while the database is away both could
        believe that they have it: take queued trials under ``StudyDatabase.exclusively``.
        """
        attempts = 0

        def attempt() -> bool:
            nonlocal attempts
            attempts += 1
            if attempts > 1 and self._backend.get_trial(trial_id).state == state:
                return True
            return self._backend.set_trial_state_values(trial_id, state, values)

        return self._insist(attempt)

    def counts(self, study_id: int) -> tuple[int, int]:
        """Trials that the database has of a study, and how many of them have a value."""

        def attempt() -> tuple[int, int]:
            with self._engine.connect() as connection:
                row = connection.execute(_COUNTS, {"study": study_id}).one()
            return row[0], row[1] or 0

        return self._insist(attempt)

    def forget(self) -> None:
        """Drops what is remembered of trials that are over, for a database that lost their rows."""
        self._backend = get_storage(self._database)

    def _insist(self, work: Callable[[], T]) -> T:
        try:
            return self._patience.insist(work, self._where)
        except (StorageInternalError, SQLAlchemyError) as error:
            database = error.__cause__ if isinstance(error, StorageInternalError) else error
            said = cause(database) if isinstance(database, SQLAlchemyError) else str(error)
            raise AutoqaError(f"{self._where}: Optuna's tables failed: {said}") from error

    def _probe(self) -> None:
        """Fails where a new trial could not be written.

        Optuna itself would try five times, seconds each, and no signal interrupts that.
        """
        # The driver of SQLite would begin a transaction only at the first change of a row.
        probe = "BEGIN IMMEDIATE" if self._engine.dialect.name == "sqlite" else "SELECT 1"
        with self._engine.connect() as connection:
            connection.exec_driver_sql(probe)

    def _count_failure(self, _context: object) -> None:
        self._failures += 1

    def _with_token(self, study_id: int, token: str) -> list[int]:
        trials = self._backend.get_all_trials(study_id, deepcopy=False)
        return [each._trial_id for each in trials if each.system_attrs.get(_TOKEN) == token]

    def _discard(self, trial_id: int) -> None:
        """Ends a trial that was made twice: it does not count."""
        mark = TrialAttributes(
            queued_again=True, failure="made twice, because the database's answer was lost"
        )
        for name, value in mark.as_dict().items():
            self.set_trial_user_attr(trial_id, name, value)
        self.set_trial_state_values(trial_id, TrialState.FAIL)
