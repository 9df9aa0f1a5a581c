"""What retraining makes again, and in which order."""

from collections.abc import Sequence
from itertools import groupby

from autoqa.errors import ConfigError, MissingAssetError, did_you_mean
from autoqa.searching.mend import mend_record
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.candidate_rounds import depths, round_of
from autoqa.store.checksums import DamagedError, written_sums
from autoqa.store.predictions import left_out
from autoqa.store.run_folder import RECORD, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import dropped


def dropped_records(folder: RunFolder, store: Store, names: Sequence[str]) -> list[CandidateRecord]:
    """Candidates of those named whose files are not all there and whole.

    Raises:
        ConfigError: A candidate is unknown.
    """
    records = {record.id: record for record in store.candidates()}
    unknown = [name for name in names if name not in records]
    if unknown:
        hint = did_you_mean(unknown[0], records) or f"; see `autoqa leaderboard {store.study}`"
        raise ConfigError(f"CANDIDATE {unknown[0]!r}: the study has no such candidate{hint}")
    if store.files is not None:
        store.files.bring(records[name] for name in names)
        needed = dict.fromkeys(names)
        for name in names:
            record = records[name]
            needed |= dict.fromkeys((*record.ingredients, *record.teachers, *record.begins_with))
        store.files.bring_weights(needed)
    for name in names:
        if not is_lost(folder, records[name]):
            mend_record(folder, name, records[name])
    return [records[name] for name in names if _is_incomplete(folder, records[name])]


def _is_incomplete(folder: RunFolder, record: CandidateRecord) -> bool:
    """Whether weights are not there, or predictions are damaged that a run makes again."""
    if is_lost(folder, record):
        return True
    if dropped(folder, record.id) is not None:
        return True
    return not record.ingredients and left_out(folder, record.id) is not None


def is_lost(folder: RunFolder, record: CandidateRecord) -> bool:
    """Whether a run's candidate is gone, or nothing on disk says any more what its files were."""
    candidate = folder.candidate(record.id)
    try:
        written_sums(candidate)
    except DamagedError:
        return not record.ingredients
    return not record.ingredients and not (candidate / RECORD).exists()


def in_turn(records: Sequence[CandidateRecord], store: Store) -> list[list[CandidateRecord]]:
    """Those of earlier rounds first, for later ones begin with their weights; pupils last."""
    depth = depths(store.candidates())

    def turn(record: CandidateRecord) -> tuple[bool, int]:
        return bool(record.teachers), round_of(record, depth)

    ordered = sorted(records, key=turn)
    return [list(part) for _, part in groupby(ordered, key=turn)]


def check_forebears(folder: RunFolder, records: Sequence[CandidateRecord], study: str) -> None:
    """Refuses runs that need weights which are neither there nor asked for."""
    asked = {record.id for record in records}
    trained = [*records]
    for record in records:
        lost = [name for name in record.ingredients if dropped(folder, name) is not None]
        trained += map(folder.read_record, lost)
    for record in trained:
        names = {*record.teachers, *record.begins_with} - asked
        absent = [name for name in sorted(names) if dropped(folder, name) is not None]
        if absent:
            how = "was taught by" if record.teachers else "began with the weights of"
            raise MissingAssetError(
                f"{record.id} {how} {', '.join(absent)}, whose weights were dropped, too: "
                f"`autoqa retrain {study} {' '.join(absent)} {record.id}` makes all of them again"
            )
