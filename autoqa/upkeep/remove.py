"""Removes a study: its rows, Optuna's study and the run folder."""

import secrets
import shutil

from autoqa.config.load import load_study
from autoqa.errors import AutoqaError
from autoqa.store.artifacts import Artifacts
from autoqa.store.study_rows import StudyRows
from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import remove_study as remove_trials
from autoqa.upkeep.sole_use import alone, holds_database, own_folder
from autoqa.upkeep.study_place import StudyPlace


def remove_study(place: StudyPlace) -> None:
    """Removes all that a study has left. Rows go first: what is killed on the way can be repeated.

    Raises:
        ConfigError: What is in its place is no run folder.
        AutoqaError: Somebody works on it, or files cannot be removed.
    """
    folder = own_folder(place)
    files = Artifacts.of(folder, load_study(folder.study_file, frozen=True).search.files)
    assert place.storage is not None
    gone = folder.path.with_name(f".{place.name}.{secrets.token_hex(4)}.removed")
    with Store(place.storage, place.name) as store, alone(store, "removing"):
        if not holds_database(folder, store):
            remove_trials(place.name, store.full_url)
            with StudyRows(store.full_url, place.name) as rows:
                rows.remove()
        if files is not None:
            files.remove()
        try:
            folder.path.rename(gone)
        except OSError as error:
            raise AutoqaError(f"{folder.path} cannot be removed: {error}") from error
    try:
        shutil.rmtree(gone)
    except OSError as error:
        raise AutoqaError(
            f"the study is removed, but its files are not: {error}; remove {gone} by hand"
        ) from error
