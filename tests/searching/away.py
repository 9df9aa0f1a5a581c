"""Makes the first tables in a process of its own; a module that imports little."""

from typing import Any

from autoqa.errors import AutoqaError
from autoqa.searching.optuna_study import open_study
from autoqa.store.study_tables import Store


def open_both(address: str, ready: Any, outcomes: Any) -> None:
    """Waits for the others, opens autoqa's and Optuna's tables, and says what it saw.

    Args:
        address: URL of the database.
        ready: Barrier of all processes.
        outcomes: Queue for a count of trials, or what went wrong.
    """
    ready.wait(60)
    try:
        with Store(address, "golden") as store:
            study = open_study("golden", address, 0, store.patience)
            study.enqueue_trial({"x": 1})
            outcomes.put(study.metric_names)
    except Exception as error:
        outcomes.put(f"{type(error).__name__}: {error}")
        if not isinstance(error, AutoqaError):
            raise
