"""Where a study is: its name, its run folder where that is on this machine, its database."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from autoqa.analysis.finished_run import known_study
from autoqa.config.load import load_study
from autoqa.config.problems import parse
from autoqa.config.study import StudyFile
from autoqa.env import run_folder, runs_folder
from autoqa.errors import ConfigError
from autoqa.store.connection import bring_up_to_date
from autoqa.store.patience import Patience
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store


@dataclass(frozen=True, slots=True)
class StudyPlace:
    """Where a study's files and rows are.

    Attributes:
        name: The study's name.
        folder: Its run folder, or ``None`` where it is on another machine.
        storage: URL of its database, or ``None`` where only the damaged study file knew it.
        problem: Why its study file cannot be read.
    """

    name: str
    folder: RunFolder | None
    storage: str | None
    problem: ConfigError | None = None

    def look(self) -> Store:
        """Its database, to look at only; nothing waits for it.

        Raises:
            ConfigError: The study file that names it is damaged.
            DataError: It is of another version.
            AutoqaError: It is damaged or away.
        """
        if self.storage is None:
            raise self.problem or ConfigError(f"STUDY {self.name!r}: its database is not known")
        return Store(self.storage, self.name, Patience(0.0), read_only=True)

    def up_to_date(self) -> "StudyPlace":
        """The same place, whose database has no tables of an earlier version any more.

        Raises:
            AutoqaError: It has, and cannot be changed.
        """
        if self.storage is not None:
            bring_up_to_date(self.storage)
        return self


def find_study(study: str, storage: str | None = None) -> StudyPlace:
    """Finds a study by its name or file, without opening its database.

    Args:
        study: Name or study file.
        storage: URL of its database, where nobody has searched it on this machine, or in place of
            what its study file says.

    Raises:
        ConfigError: No search of that name has run here, and no database was given.
    """
    if storage is None:
        return place_in(RunFolder(known_study(study).parent))
    name = load_study(Path(study), frozen=True).name if study.endswith(".toml") else study
    folder = RunFolder(run_folder(name))
    return StudyPlace(name, folder if folder.study_file.is_file() else None, storage)


def place_in(folder: RunFolder) -> StudyPlace:
    """The study of a run folder, also where its study file is damaged."""
    try:
        frozen = load_study(folder.study_file, frozen=True)
    except ConfigError as error:
        return StudyPlace(folder.path.name, folder, None, error)
    return StudyPlace(frozen.name, folder, folder.store_url(frozen.search.storage))


def studies_here() -> list[StudyPlace]:
    """All studies of this machine's runs folder, by name."""
    files = sorted(runs_folder().glob("*/study.toml"))
    return [place_in(RunFolder(path.parent)) for path in files if not path.parent.is_symlink()]


def stored_study(store: Store) -> StudyFile:
    """The study file as the database keeps it.

    Raises:
        ConfigError: The database has no such study, or its text is of another version.
    """
    text = store.study_text()
    if text is None:
        raise ConfigError(
            f"STUDY {store.study!r}: there is no study of that name in its database: "
            "`autoqa search STUDY.toml` begins one"
        )
    study, problems = parse(StudyFile, tomllib.loads(text))
    if study is None:
        raise ConfigError(*(f"study {store.study!r}: {problem}" for problem in problems))
    return study
