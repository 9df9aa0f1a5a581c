"""Opens a study's database in a process of its own; a module that imports little."""

from typing import Any

from autoqa.errors import AutoqaError
from autoqa.store.study_tables import Store


def open_at_once(address: str, ready: Any, outcomes: Any) -> None:
    """Waits for the others, opens, and says how many candidates it saw, or what went wrong.

    Args:
        address: URL of the database.
        ready: Barrier of all processes.
        outcomes: Queue for what is said.
    """
    ready.wait(60)
    try:
        with Store(address, "golden") as store:
            outcomes.put(len(store.candidates()))
    except AutoqaError as error:
        outcomes.put(str(error))
