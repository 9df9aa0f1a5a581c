"""Which candidates' weights stay on disk.

Predictions are small, and selection needs all of them. Weights are large, and only those of the
selected are needed: the least promising ones are dropped when they outgrow their quota. What is
dropped can be trained again, because recipe, seed and everything else are kept.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from autoqa.errors import DataError
from autoqa.files import write_atomically
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder

WEIGHTS = "model.safetensors"
_DROPPED = "dropped.json"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Checksum and size of weights that were removed.

    Attributes:
        sha256: Of the file.
        size: Its bytes.
    """

    sha256: str
    size: int


def by_need(
    records: Iterable[CandidateRecord],
    protected: Collection[str] = (),
    spare: Collection[str] = (),
) -> list[str]:
    """Ids from the most to the least needed.

    First what is protected, then the best of each group, then the second best of each, and so
    on: an ensemble takes few models of one kind, and what one kind lacks another has to give. Last
    comes what is to spare, in the same order.

    Args:
        records: Candidates.
        protected: Ids that come first, such as those of a selection.
        spare: Ids that come last, such as those of :func:`superseded`.
    """
    seen: Counter[str] = Counter()
    ranks = []
    for record in sorted(records, key=by_score):
        need = record.id not in protected, record.id in spare
        ranks.append((*need, seen[record.group], *by_score(record)))
        seen[record.group] += 1
    return [rank[-1] for rank in sorted(ranks)]


def superseded(records: Collection[CandidateRecord]) -> set[str]:
    """Ids of the ingredients of soups that score at least as high.

    Of a soup that is worse than an ingredient nothing is to be expected, so that one stays.

    Args:
        records: Candidates whose weights are there.
    """
    highest: dict[str, float] = {}
    for soup in records:
        for name in soup.ingredients:
            highest[name] = max(soup.jaccard, highest.get(name, 0.0))
    return {each.id for each in records if highest.get(each.id, -1.0) >= each.jaccard}


def keep_within(
    folder: RunFolder,
    records: Collection[CandidateRecord],
    quota: int,
    protected: Collection[str] = (),
) -> list[str]:
    """Drops the least needed weights until the rest fits, but neither protected ones nor the best.

    Args:
        folder: The study's run folder.
        records: Its candidates.
        quota: Bytes that all weights together may take.
        protected: Ids whose weights stay whatever they take.

    Returns:
        Ids whose weights were dropped, least needed first.
    """
    sizes = {each.id: size for each in records if (size := _size(folder, each.id))}
    spare = superseded([record for record in records if record.id in sizes])
    names = by_need(records, protected, spare)
    total, dropped = sum(sizes.values()), []
    for name in reversed(names[1:]):
        if total <= quota:
            break
        if name in sizes and name not in protected:
            drop(folder, name)
            total -= sizes[name]
            dropped.append(name)
    return dropped


def drop(folder: RunFolder, candidate: str) -> None:
    """Removes a candidate's weights, and writes down what they were."""
    path = folder.model(candidate) / WEIGHTS
    content = {"sha256": checksum(path), "size": path.stat().st_size}
    write_atomically(folder.candidate(candidate) / _DROPPED, json.dumps(content) + "\n")
    path.unlink()


def dropped(folder: RunFolder, candidate: str) -> Dropped | None:
    """What a candidate's weights were, or ``None`` where they are there.

    Raises:
        DataError: They are gone, and it was not autoqa that dropped them.
    """
    weights = folder.model(candidate) / WEIGHTS
    if weights.is_file():
        return None
    path = folder.candidate(candidate) / _DROPPED
    try:
        return Dropped(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{weights} is missing, and nothing says what it was ({error}): restore the run folder."
        ) from error


def restore(folder: RunFolder, candidate: str, weights: Path) -> None:
    """Moves weights, made on the same file system, to where a candidate's belong."""
    weights.replace(folder.model(candidate) / WEIGHTS)
    (folder.candidate(candidate) / _DROPPED).unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(folder: RunFolder, candidate: str) -> int:
    path = folder.model(candidate) / WEIGHTS
    return path.stat().st_size if path.is_file() else 0
