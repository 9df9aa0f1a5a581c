"""A study's database, opened by a process that works on the study."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.searching.machine_faults import told
from autoqa.store.artifacts import Artifacts
from autoqa.store.patience import SEARCH_SECONDS, Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.sqlite_file import in_use, set_aside_damaged
from autoqa.store.study_tables import Store
from autoqa.supervision.display import Display, QuietDisplay
from autoqa.supervision.membership import Membership, taking_part
from autoqa.supervision.reported import ReportedDisplay
from autoqa.supervision.search_log import LoggedDisplay


@contextmanager
def at_work(
    study: StudyFile,
    folder: RunFolder,
    purpose: str,
    display: Display | None,
    *,
    leads: bool,
    logs: Path,
    storage: str | None = None,
) -> Iterator[tuple[Membership, Display]]:
    """Opens a study's database and works on the study while the block runs.

    Args:
        study: The study.
        folder: Its run folder.
        purpose: What is done.
        display: What people see; nothing if left out.
        leads: Whether to take the lead.
        logs: Folder for what is said.
        storage: URL of the database in place of the study file's.

    Yields:
        This process's lease, and what to show things with.

    Raises:
        AutoqaError: Another process leads, or the database cannot be opened.
        MachineFaultError: The disk cannot be written to.
    """
    folder.create()
    logs.mkdir(exist_ok=True)
    logged = LoggedDisplay(display or QuietDisplay(), logs / "search.log")
    url = storage or folder.store_url(study.search.storage)
    damaged = set_aside_damaged(url) if leads else None
    if damaged is not None:
        logged.event(damaged)
    patience = Patience(tell=logged.event)
    files = Artifacts.reached(folder, study.search.files, patience)
    with (
        in_use(url),
        told(folder),
        Store(url, study.name, patience, openings=folder.openings, files=files) as store,
        taking_part(store, purpose, leads=leads) as membership,
        ReportedDisplay(logged, membership) as shown,
    ):
        patience.seconds = SEARCH_SECONDS  # from here on there is something to lose
        yield membership, shown
