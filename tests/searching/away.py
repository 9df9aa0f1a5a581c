"""Makes the first tables in a process of its own; a module that imports little."""

from collections.abc import Sequence
from typing import Any

from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import open_study


def open_all(addresses: Sequence[str], ready: Any, outcomes: Any) -> None:
    """Opens autoqa's and Optuna's tables, each database at the same moment as the others do.

    Args:
        addresses: URLs of empty databases.
        ready: Barrier of all processes.
        outcomes: Queue for the metric names of each study, or what went wrong.
    """
    for address in addresses:
        ready.wait(60)
        try:
            with Store(address, "golden") as store:
                study = open_study("golden", address, 0, store.patience)
                study.enqueue_trial({"x": 1})
                outcomes.put(study.metric_names)
        except Exception as error:
            outcomes.put(f"{type(error).__name__}: {error}")
