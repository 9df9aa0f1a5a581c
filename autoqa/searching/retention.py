"""Keeps the weights of a study's candidates within ``[search] weights`` while it is searched."""

from collections.abc import Collection

from autoqa.ensemble.choosing.selection import Selection
from autoqa.errors import DataError
from autoqa.store.candidate_record import by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import keep_within


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
    with store.exclusively():
        present = set(folder.candidate_ids())
        records = [record for record in store.candidates() if record.id in present]
        protected = _selected(folder) | set(needed)
        if needed:
            protected.add(min(records, key=by_score).id)
        dropped = keep_within(folder, records, round(gib * 1024**3), protected)
    return [
        f"candidate {name}: its weights were dropped, because all together took more than "
        f"search.weights = {gib:g} GiB; `autoqa retrain {store.study} {name}` makes them again"
        for name in dropped
    ]


def _selected(folder: RunFolder) -> set[str]:
    if not folder.selection.is_file():
        return set()
    try:
        selection = Selection.from_json(folder.selection.read_text(encoding="utf-8"))
    except DataError:  # written by another version: select says so, and no search should end of it
        return set()
    return {seat.id for pick in (selection, selection.best_public) for seat in pick.members}
