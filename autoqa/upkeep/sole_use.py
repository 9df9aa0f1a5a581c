"""A study for one process alone: nobody works on it, and nobody begins to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoqa.env import runs_folder
from autoqa.errors import AutoqaError, ConfigError
from autoqa.store.process_identity import ProcessIdentity
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.display import QuietDisplay
from autoqa.supervision.reported import leading
from autoqa.upkeep.study_place import StudyPlace


@contextmanager
def alone(store: Store, purpose: str) -> Iterator[None]:
    """Has a study's lead while the block runs, and keeps everybody else from entering.

    Args:
        store: The study's database.
        purpose: What is done, for people who wait.

    Raises:
        AutoqaError: Somebody works on it; says who.
    """
    own = ProcessIdentity.own()
    with leading(store, purpose, QuietDisplay()), store.exclusively():
        for other in store.searchers():
            if other.process != own and other.is_alive():
                raise AutoqaError(
                    f"study {store.study!r} is being worked on: {other.purpose} by "
                    f"{other.process}, since {other.begun:%Y-%m-%d %H:%M} UTC: wait for it or stop "
                    "it"
                )
        yield


def own_folder(place: StudyPlace) -> RunFolder:
    """The run folder of a study that is to be changed as a whole.

    Raises:
        ConfigError: Its study file is damaged, it is on another machine, or what is in its place is
            no run folder.
    """
    if place.problem is not None:
        raise place.problem
    if place.folder is None:
        raise ConfigError(f"STUDY {place.name!r}: its run folder is not on this machine")
    path, home = place.folder.path, runs_folder()
    if path.is_symlink() or path.absolute().parent.resolve() != home.resolve():
        raise ConfigError(f"{path} is no folder of its own in {home}: name a study by its name")
    if not place.folder.candidates.is_dir():
        raise ConfigError(
            f"{path} is no run folder, for it has no folder candidates: autoqa leaves it alone"
        )
    return place.folder


def holds_database(folder: RunFolder, store: Store) -> bool:
    """Whether a study's database lies in its run folder."""
    if store.url.get_backend_name() != "sqlite" or not store.url.database:
        return False
    return Path(store.url.database).resolve().is_relative_to(folder.path.resolve())
