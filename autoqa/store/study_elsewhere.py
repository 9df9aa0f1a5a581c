"""A study that was searched on other machines, as its database knows it."""

from pathlib import Path

from autoqa import env
from autoqa.errors import ConfigError
from autoqa.files import write_atomically
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store


def fetch_study(name: str, storage: str) -> Path:
    """Keeps the study file of a search on another machine in this one's run folder.

    Args:
        name: The study's.
        storage: URL of its database.

    Returns:
        The file.

    Raises:
        ConfigError: The database has no such study.
        AutoqaError: The database cannot be opened.
    """
    with Store(storage, name, read_only=True) as store:
        text = store.study_text()
        if text is None:
            raise ConfigError(
                f"STUDY {name!r}: there is no study of that name in the database of --storage: "
                "`autoqa search STUDY.toml` begins one"
            )
    folder = RunFolder(Path(env.run_folder(name)))
    folder.create()
    if not folder.study_file.is_file() or folder.study_file.read_bytes() != text.encode():
        write_atomically(folder.study_file, text)
    return folder.study_file
