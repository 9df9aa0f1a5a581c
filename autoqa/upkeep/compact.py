"""Makes a study small: removes what no later command needs, and packs its database."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import TrialState

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import stored_selection
from autoqa.config.load import load_study
from autoqa.errors import AutoqaError, ConfigError
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_rows import StudyRows
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop
from autoqa.upkeep.disk_use import files_below, size_of
from autoqa.upkeep.sole_use import alone, holds_database, own_folder
from autoqa.upkeep.study_place import StudyPlace
from autoqa.upkeep.trial_counts import read_trials

LOG_DAYS = 7
"""Logs that were not written to for so long go."""

_UNFINISHED = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True, slots=True)
class Spare:
    """Something that can go.

    Attributes:
        kind: What it is, in words for people.
        path: File or folder; the database's is packed, not removed.
        size: Bytes that are freed.
        candidate: Whose weights it is, else ``None``.
    """

    kind: str
    path: Path
    size: int
    candidate: str | None = None


def plan_compact(place: StudyPlace, *, weights: bool) -> list[Spare]:
    """What :func:`compact` would remove; changes nothing.

    Args:
        place: The study.
        weights: Whether weights may go that the last selection has no seat for.

    Raises:
        ConfigError: What is in its place is no run folder, or there is no selection to go by.
        AutoqaError: The database is of another version, damaged or away.
    """
    folder = own_folder(place)
    with (
        place.look() as store,
        StudyRows(store.full_url, store.study, store.patience, read_only=True) as rows,
    ):
        found = list(_spare(folder, store, weights=weights))
        free = rows.free_bytes()
        if holds_database(folder, store):
            free += size_of(folder.database.with_name(f"{folder.database.name}-wal"))
        if free:
            found.append(Spare("room inside the database", folder.database, free))
        return found


def compact(place: StudyPlace, *, weights: bool) -> list[Spare]:
    """Removes what no later command needs, and packs an SQLite database.

    Args:
        place: The study.
        weights: Whether weights go that the last selection has no seat for; `autoqa retrain` makes
            them again.

    Returns:
        What was removed, with the bytes that each freed.

    Raises:
        ConfigError: What is in its place is no run folder, or there is no selection to go by.
        AutoqaError: Somebody works on the study, or its database failed.
    """
    folder = own_folder(place)
    assert place.storage is not None
    before = _database_size(folder)
    with ExitStack() as stack:
        files = Artifacts.of(folder, load_study(folder.study_file, frozen=True).search.files)
        store = stack.enter_context(Store(place.storage, place.name, files=files))
        stack.enter_context(alone(store, "compacting"))
        gone = list(_spare(folder, store, weights=weights))
        for each in gone:
            _remove(folder, each, files)
    if holds_database(folder, store):
        with StudyRows(place.storage, place.name) as rows:
            rows.pack()
        freed = max(0, before - _database_size(folder))
        gone += [Spare("room inside the database", folder.database, freed)] if freed else []
    return gone


def _remove(folder: RunFolder, spare: Spare, files: Artifacts | None) -> None:
    try:
        if spare.candidate is not None and files is not None:
            files.drop_weights(spare.candidate)
        elif spare.candidate is not None:
            drop(folder, spare.candidate)
        elif spare.path.is_dir() and not spare.path.is_symlink():
            shutil.rmtree(spare.path)
        else:
            spare.path.unlink(missing_ok=True)
    except OSError as error:
        raise AutoqaError(f"{spare.path} cannot be removed: {error}") from error


def _spare(folder: RunFolder, store: Store, *, weights: bool) -> Iterator[Spare]:
    trials = read_trials(store.full_url, store.study)
    goes_on = any(trial.state in _UNFINISHED for trial in trials) or _holds_files(folder.lessons)
    yield from _checkpoints(folder, goes_on=goes_on)
    yield from _half_written(folder, goes_on=goes_on)
    if (scratch := folder.path / "retrained").is_dir():
        yield Spare("scratch of retraining", scratch, size_of(scratch))
    for scratch in sorted(folder.ablation.glob("runs-*/candidates")):
        yield Spare("scratch of ablations", scratch, size_of(scratch))
    yield from _old_logs(folder)
    if weights:
        yield from _unselected(folder, store)


def _checkpoints(folder: RunFolder, *, goes_on: bool) -> Iterator[Spare]:
    """Those of whole stages serve new runs only; those of runs, and locks, serve runs to go on."""
    for path in sorted((folder.path / "checkpoints").glob("*")):
        if path.name.startswith("stage-") or not goes_on:
            yield Spare("checkpoints of finished runs", path, size_of(path))


def _half_written(folder: RunFolder, *, goes_on: bool) -> Iterator[Spare]:
    kind = "half-written files"
    complete = set(folder.candidate_ids())
    left = [path for path in folder.candidates.iterdir() if path.name not in complete]
    left += list(folder.path.glob(".*.partial"))
    if not goes_on and folder.folds.is_dir():
        left += folder.folds.iterdir()
    yield from (Spare(kind, path, size_of(path)) for path in sorted(left))


def _old_logs(folder: RunFolder) -> Iterator[Spare]:
    oldest = time.time() - 24 * 3600 * LOG_DAYS
    for path, state in sorted(files_below(folder.logs), key=lambda found: found[0]):
        if state.st_mtime < oldest:
            yield Spare(f"logs older than {LOG_DAYS} days", path, state.st_size)


def _unselected(folder: RunFolder, store: Store) -> Iterator[Spare]:
    run = StudyRun(load_study(folder.study_file, frozen=True), folder, store)
    selection = stored_selection(run)
    if selection is None:
        raise ConfigError(
            f"--weights: study {store.study!r} has no selection of the candidates it has now, to "
            f"say which weights are needed: run `autoqa select {store.study}` first"
        )
    needed = {seat.id for pick in (selection, selection.best_public) for seat in pick.members}
    records = run.candidates()
    needed.add(min(records, key=by_score).id)
    for record in records:
        path = folder.model(record.id) / WEIGHTS
        if record.id not in needed and path.is_file():
            yield Spare(
                "weights that the selection has no seat for", path, size_of(path), record.id
            )


def _holds_files(path: Path) -> bool:
    return any(True for _ in files_below(path))


def _database_size(folder: RunFolder) -> int:
    ends = ("", "-wal", "-shm")
    return sum(size_of(folder.database.with_name(folder.database.name + end)) for end in ends)
