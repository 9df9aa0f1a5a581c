"""Keeps the weights of a study's candidates within ``[search] weights`` while it is searched."""

import json
from collections.abc import Collection
from contextlib import nullcontext, suppress

from autoqa.ensemble.choosing.selection import Selection
from autoqa.errors import DataError
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import drop, keep_within, too_much, weights_size


def retain(
    folder: RunFolder,
    store: Store,
    gib: float,
    needed: Collection[str] = (),
    newcomer: CandidateRecord | None = None,
) -> list[str]:
    """Drops the weights that selection is least likely to need, if they outgrow their quota.

    Where files are shared the quota is that of all machines together.

    Args:
        folder: The study's run folder.
        store: Its database.
        gib: GiB that all weights together may take.
        needed: Ids of candidates whose weights stay whatever they take.
        newcomer: A candidate on disk that is about to be written down.

    Returns:
        One sentence for each candidate whose weights were dropped.
    """
    # Machines that share files come to the same end at the same moment, and one that waits for the
    # store must not hold the others up.
    with store.exclusively() if store.files is None else nullcontext():
        records = [*store.candidates(), *([newcomer] if newcomer else [])]
        records = list({record.id: record for record in records}.values())
        if store.files is None:
            present = set(folder.candidate_ids())
            records = [record for record in records if record.id in present]
        protected = _selected(folder, store) | set(needed)
        if needed:
            protected.add(min(records, key=by_score).id)
        quota = round(gib * 1024**3)
        if store.files is None:
            dropped = keep_within(folder, records, quota, protected)
        else:
            new = "" if newcomer is None else newcomer.id
            dropped = _keep_shared(folder, store.files, records, quota, protected, new)
    return [
        f"candidate {name}: its weights were dropped, because all together took more than "
        f"search.weights = {gib:g} GiB; `autoqa retrain {store.study} {name}` makes them again"
        for name in dropped
    ]


def _keep_shared(
    folder: RunFolder,
    files: Artifacts,
    records: Collection[CandidateRecord],
    quota: int,
    protected: Collection[str],
    newcomer: str,
) -> list[str]:
    """Keeps what all machines share within a quota, and nothing here that is not there any more."""
    sizes = dict(files.weights(fresh=True))
    here = {record.id: size for record in records if (size := weights_size(folder, record.id))}
    if here.keys() - sizes.keys() - {newcomer}:
        for name in files.without_weights() & here.keys() - {newcomer}:
            drop(folder, name)
    if newcomer in here:
        sizes[newcomer] = here[newcomer]
    surplus = too_much(records, sizes, quota, protected)
    for name in surplus:
        files.drop_weights(name)
    return surplus


def _selected(folder: RunFolder, store: Store) -> set[str]:
    texts = [folder.selection.read_text(encoding="utf-8")] if folder.selection.is_file() else []
    if store.files is not None:  # the last selection may have been made on another machine
        texts += [json.dumps(each) for each in store.selections()[-1:]]
    names: set[str] = set()
    for text in texts:
        # One of another version: select says so, and no search should end of it.
        with suppress(DataError):
            selection = Selection.from_json(text)
            picks = (selection, selection.best_public)
            names |= {seat.id for pick in picks for seat in pick.members}
    return names
