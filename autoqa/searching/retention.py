"""Keeps the weights of a study's candidates within ``[search] weights`` while it is searched."""

import json
from collections.abc import Collection, Iterable
from contextlib import suppress

from autoqa.ensemble.choosing.selection import Selection
from autoqa.errors import DataError
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop, keep_within, too_much, weights_size


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
    return Retention(folder, store, gib)(needed, newcomer)


def with_weights(
    folder: RunFolder, store: Store, records: Iterable[CandidateRecord]
) -> list[CandidateRecord]:
    """Those whose weights are here or, where files are shared, among those."""
    if store.files is None:
        return [each for each in records if (folder.model(each.id) / WEIGHTS).is_file()]
    there = store.files.weights()
    return [each for each in records if each.id in there]


class Retention:
    """:func:`retain` for a process that calls it after every candidate.

    What the weights take is known from before but for new candidates. Others can only have dropped
    some meanwhile, so that all are looked at once it seems that there are too many.

    Args:
        folder: The study's run folder.
        store: Its database.
        gib: GiB that all weights together may take.
    """

    def __init__(self, folder: RunFolder, store: Store, gib: float) -> None:
        self._folder, self._store, self._gib = folder, store, gib
        self._quota = round(gib * 1024**3)
        self._sizes: dict[str, int] = {}

    def __call__(
        self, needed: Collection[str] = (), newcomer: CandidateRecord | None = None
    ) -> list[str]:
        """Drops what is too much; arguments and result are those of :func:`retain`."""
        files = self._store.files
        if files is None:
            dropped = self._drop_here(needed, newcomer)
        else:
            records, protected = self._records(needed, newcomer)
            new = "" if newcomer is None else newcomer.id
            dropped = _keep_shared(self._folder, files, records, self._quota, protected, new)
        return [
            f"candidate {name}: its weights were dropped, because all together took more than "
            f"search.weights = {self._gib:g} GiB; `autoqa retrain {self._store.study} {name}` "
            "makes them again"
            for name in dropped
        ]

    def _drop_here(self, needed: Collection[str], newcomer: CandidateRecord | None) -> list[str]:
        self._weigh_new()
        if sum(self._sizes.values()) <= self._quota:
            return []
        with self._store.exclusively():
            for name, size in self._sizes.items():
                if size:
                    self._sizes[name] = weights_size(self._folder, name)
            records, protected = self._records(needed, newcomer)
            records = [record for record in records if record.id in self._sizes]
            dropped = keep_within(self._folder, records, self._quota, protected, self._sizes)
        self._sizes |= dict.fromkeys(dropped, 0)
        return dropped

    def _records(
        self, needed: Collection[str], newcomer: CandidateRecord | None
    ) -> tuple[list[CandidateRecord], set[str]]:
        """All candidates, and ids of those whose weights stay."""
        records = {record.id: record for record in self._store.candidates()}
        if newcomer is not None:
            records[newcomer.id] = newcomer
        protected = _selected(self._folder, self._store) | set(needed)
        if needed:
            protected.add(min(records.values(), key=by_score).id)
        return list(records.values()), protected

    def _weigh_new(self) -> None:
        present = {path.name for path in self._folder.candidates.iterdir()}
        for name in self._sizes.keys() - present:
            del self._sizes[name]
        # What is still being written begins with a dot.
        for name in sorted(present - self._sizes.keys()):
            if not name.startswith("."):
                self._sizes[name] = weights_size(self._folder, name)


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
