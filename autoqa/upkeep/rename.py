"""Gives a study another name: in its database, in its study file, and on disk."""

import re
import tomllib
from contextlib import ExitStack

from autoqa.config.load import load_study
from autoqa.config.problems import parse
from autoqa.config.study import StudyFile
from autoqa.env import run_folder
from autoqa.errors import AutoqaError, ConfigError
from autoqa.files import write_atomically
from autoqa.searching.setup import fingerprint
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_rows import StudyRows
from autoqa.store.study_tables import Store
from autoqa.upkeep.sole_use import alone, holds_database, own_folder
from autoqa.upkeep.study_place import StudyPlace

_NAME = re.compile(r"""^(\s*(?:name|"name"|'name')\s*=\s*)(?:"[^"\n]*"|'[^'\n]*')""", re.M)
_TABLE = re.compile(r"^\s*\[", re.M)


def rename_study(place: StudyPlace, new: str) -> RunFolder:
    """Renames a study.

    All rows change in one transaction; then the study file, and at last the folder moves. Where a
    rename was killed in between, the same call finishes it.

    Args:
        place: The study.
        new: Its new name.

    Returns:
        The run folder in its new place.

    Raises:
        ConfigError: The name is not valid or taken, or the study file has other values here.
        AutoqaError: Somebody works on the study, or the folder cannot be moved; then all is as
            before.
    """
    folder, target = own_folder(place), RunFolder(run_folder(new))
    text = folder.study_file.read_text(encoding="utf-8-sig")
    changed = renamed_text(text, new)
    if target.path.exists():
        raise ConfigError(f"NEW {new!r}: {target.path} exists; choose another name")
    if place.name != new:  # else a rename was killed before its last step
        _rename_rows(place, folder, new, changed)
    try:
        write_atomically(folder.study_file, changed)
        folder.path.rename(target.path)
    except OSError as error:
        if place.name != new:
            _take_back(place, folder, new, text)
        raise AutoqaError(f"{folder.path} cannot be renamed to {target.path}: {error}") from error
    return target


def renamed_text(text: str, new: str) -> str:
    """A study file's text with another name, and all else as it was written.

    Raises:
        ConfigError: The name is not valid, or its line is not found.
    """
    content = {**tomllib.loads(text), "name": new}
    _, problems = parse(StudyFile, content)
    if problems:
        raise ConfigError(*(f"NEW {new!r}: {problem}" for problem in problems))
    table = _TABLE.search(text)
    end = table.start() if table else len(text)
    changed = _NAME.sub(rf'\g<1>"{new}"', text[:end], count=1) + text[end:]
    if tomllib.loads(changed) != content:
        raise ConfigError(
            'the study file\'s line with its name was not found: write it as name = "..." above '
            "the first table"
        )
    return changed


def _rename_rows(place: StudyPlace, folder: RunFolder, new: str, text: str) -> None:
    assert place.storage is not None
    study = load_study(folder.study_file)
    with ExitStack() as stack:
        store = stack.enter_context(Store(place.storage, place.name))
        stack.enter_context(alone(store, "renaming"))
        rows = stack.enter_context(StudyRows(store.full_url, place.name))
        if study.search.storage is not None and holds_database(folder, store):
            raise ConfigError(
                f"search.storage = {study.search.storage!r} leads into {folder.path}, which a new "
                "name would move away: keep the database elsewhere, or leave the key out"
            )
        if study.search.files is not None:
            raise ConfigError(
                f"search.files = {study.search.files!r} keeps the study's candidates under its "
                "name, and other machines look for them there: it cannot be renamed"
            )
        if rows.named(new):
            if store.study_text() is None and _text_of(store, new) == text:
                return  # a rename was killed after this step
            raise ConfigError(
                f"NEW {new!r}: there is a study of that name in the database of "
                f"{place.name!r}; choose another name"
            )
        searched = store.study_fingerprint()
        if searched not in (None, fingerprint(study)):
            raise ConfigError(
                f"study {place.name!r} was searched with other values of its variables, such as "
                "paths, than it has here: set them as they were then"
            )
        rows.rename(new, text, fingerprint(study.model_copy(update={"name": new})))


def _text_of(store: Store, study: str) -> str | None:
    with Store(store.full_url, study) as other:
        return other.study_text()


def _take_back(place: StudyPlace, folder: RunFolder, new: str, text: str) -> None:
    assert place.storage is not None
    write_atomically(folder.study_file, text)
    with StudyRows(place.storage, new) as rows:
        rows.rename(place.name, text, fingerprint(load_study(folder.study_file)))
