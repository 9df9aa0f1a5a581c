"""Keeps the weights of a study's candidates within ``[search] weights`` while it is searched."""

from collections.abc import Collection

from autoqa.ensemble.choosing.selection import Selection
from autoqa.errors import DataError
from autoqa.store.candidate_record import by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import keep_within, weights_size


def retain(folder: RunFolder, store: Store, gib: float, needed: Collection[str] = ()) -> list[str]:
    """Drops the weights that selection is least likely to need, if they outgrow their quota.

    Args:
        folder: The study's run folder.
        store: Its database.
        gib: GiB that all weights together may take.
        needed: Ids of candidates whose weights stay whatever they take.

    Returns:
        One sentence for each candidate whose weights were dropped.
    """
    return Retention(folder, store, gib)(needed)


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

    def __call__(self, needed: Collection[str] = ()) -> list[str]:
        """Drops what is too much; arguments and result are those of :func:`retain`."""
        self._weigh_new()
        if sum(self._sizes.values()) <= self._quota:
            return []
        with self._store.exclusively():
            for name, size in self._sizes.items():
                if size:
                    self._sizes[name] = weights_size(self._folder, name)
            dropped = self._drop(needed)
        self._sizes |= dict.fromkeys(dropped, 0)
        return [
            f"candidate {name}: its weights were dropped, because all together took more than "
            f"search.weights = {self._gib:g} GiB; `autoqa retrain {self._store.study} {name}` "
            "makes them again"
            for name in dropped
        ]

    def _weigh_new(self) -> None:
        present = {path.name for path in self._folder.candidates.iterdir()}
        for name in self._sizes.keys() - present:
            del self._sizes[name]
        # What is still being written begins with a dot.
        for name in sorted(present - self._sizes.keys()):
            if not name.startswith("."):
                self._sizes[name] = weights_size(self._folder, name)

    def _drop(self, needed: Collection[str]) -> list[str]:
        records = [record for record in self._store.candidates() if record.id in self._sizes]
        protected = _selected(self._folder) | set(needed)
        if needed:
            protected.add(min(records, key=by_score).id)
        return keep_within(self._folder, records, self._quota, protected, self._sizes)


def _selected(folder: RunFolder) -> set[str]:
    if not folder.selection.is_file():
        return set()
    try:
        selection = Selection.from_json(folder.selection.read_text(encoding="utf-8"))
    except DataError:  # written by another version: select says so, and no search should end of it
        return set()
    return {seat.id for pick in (selection, selection.best_public) for seat in pick.members}
