"""Which candidates' weights stay on disk.

Predictions are small, and selection needs all of them. Weights are large, and only those of the
selected are needed: the least promising ones are dropped when they outgrow their quota. What is
dropped can be trained again, because recipe, seed and everything else are kept.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autoqa.errors import DataError
from autoqa.files import write_atomically
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.checksums import (
    Checksum,
    DamagedError,
    checksum,
    damage,
    written_sums,
)
from autoqa.store.run_folder import RunFolder

WEIGHTS = "model.safetensors"
MODEL_WEIGHTS = f"model/{WEIGHTS}"
"""Where a candidate's folder has them."""

DROPPED = "dropped.json"
_SET_ASIDE = f"{WEIGHTS}.damaged"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Checksum and size of weights that were removed.

    Attributes:
        sha256: Of the file.
        size: Its bytes.
        damaged: Whether it was not autoqa that removed them to save room: they were found damaged
            or missing.
        elsewhere: Whether the study's shared files have them, and they were not needed here yet.
    """

    sha256: str
    size: int
    damaged: bool = False
    elsewhere: bool = False


def by_need(
    records: Iterable[CandidateRecord],
    protected: Collection[str] = (),
    spare: Collection[str] = (),
) -> list[str]:
    """Ids from the most to the least needed.

    First what is protected, then the best of those with equal windows, then the second best of
    each, and so on: an ensemble takes few models of one kind, and what one kind lacks another has
    to give. Last comes what is to spare, in the same order.

    Args:
        records: Candidates.
        protected: Ids that come first, such as those of a selection.
        spare: Ids that come last, such as those of :func:`superseded`.
    """
    seen: Counter[str] = Counter()
    ranks = []
    for record in sorted(records, key=by_score):
        need = record.id not in protected, record.id in spare
        ranks.append((*need, seen[record.windows], *by_score(record)))
        seen[record.windows] += 1
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
            highest[name] = max(soup.score, highest.get(name, 0.0))
    return {each.id for each in records if highest.get(each.id, -1.0) >= each.score}


def keep_within(
    folder: RunFolder,
    records: Collection[CandidateRecord],
    quota: int,
    protected: Collection[str] = (),
    sizes: Mapping[str, int] | None = None,
) -> list[str]:
    """Drops the least needed weights until the rest fits, but neither protected ones nor the best.

    Args:
        folder: The study's run folder.
        records: Its candidates.
        quota: Bytes that all weights together may take.
        protected: Ids whose weights stay whatever they take.
        sizes: Bytes that the weights of each take, where that is known.

    Returns:
        Ids whose weights were dropped, least needed first.
    """
    known = {} if sizes is None else sizes
    sizes = {
        each.id: size
        for each in records
        if (size := known[each.id] if each.id in known else weights_size(folder, each.id))
    }
    surplus = too_much(records, sizes, quota, protected)
    for name in surplus:
        drop(folder, name)
    return surplus


def too_much(
    records: Collection[CandidateRecord],
    sizes: Mapping[str, int],
    quota: int,
    protected: Collection[str] = (),
) -> list[str]:
    """Ids of the weights that :func:`keep_within` would drop, least needed first.

    Args:
        records: Candidates.
        sizes: Bytes of the weights of those that have any.
        quota: As there.
        protected: As there.
    """
    spare = superseded([record for record in records if record.id in sizes])
    names = by_need(records, protected, spare)
    total, surplus = sum(sizes.values()), []
    for name in reversed(names[1:]):
        if total <= quota:
            break
        if name in sizes and name not in protected:
            total -= sizes[name]
            surplus.append(name)
    return surplus


def drop(folder: RunFolder, candidate: str) -> None:
    """Removes a candidate's weights, and writes down what they were."""
    path = folder.model(candidate) / WEIGHTS
    try:
        # What was written counts, and not what may have become of it.
        known = _model_sums(folder, candidate).get(MODEL_WEIGHTS)
    except DamagedError:
        known = None
    expected = known or Checksum.of(path)
    _write_down(folder, candidate, Dropped(expected.sha256, expected.size))
    path.unlink()


def dropped(folder: RunFolder, candidate: str) -> Dropped | None:
    """What a candidate's weights were, or ``None`` where they are there as they were written.

    Damaged ones are set aside under another name, and count as dropped from then on. Whole ones
    are read once per process, half a second per GB.

    Raises:
        DataError: They are gone, and it was not autoqa that dropped them.
    """
    sums = _model_sums(folder, candidate)
    weights = folder.model(candidate) / WEIGHTS
    there = weights.is_file()
    if there and not any(damage(folder.candidate(candidate), name) for name in sums):
        return None
    try:
        return _dropped(folder, candidate)
    except (OSError, ValueError, TypeError) as error:
        if MODEL_WEIGHTS not in sums:
            raise DataError(
                f"{weights} is missing, and nothing says what it was ({error}): restore the run "
                "folder."
            ) from error
    expected = sums[MODEL_WEIGHTS]
    gone = Dropped(expected.sha256, expected.size, damaged=True)
    _write_down(folder, candidate, gone)
    if there and damage(folder.candidate(candidate), MODEL_WEIGHTS):
        weights.replace(weights.with_name(_SET_ASIDE))
    return gone


def whole_model(folder: RunFolder, candidate: str) -> Path:
    """A candidate's model folder, to open the weights in it.

    Raises:
        DamagedError: They are damaged, or dropped; the sentence names the way to get them back.
        DataError: They are gone, and it was not autoqa that dropped them.
    """
    gone = dropped(folder, candidate)
    if gone is None:
        return folder.model(candidate)
    raise DamagedError(
        f"the weights of {candidate} {'are damaged or lost' if gone.damaged else 'were dropped'}: "
        f"`autoqa retrain {folder.path.name} {candidate}` makes them again"
    )


def original(folder: RunFolder, candidate: str) -> str:
    """The sha256 of a candidate's weights as they were written.

    Raises:
        DataError: They are gone, and nothing says what they were.
    """
    sums = _model_sums(folder, candidate)
    if MODEL_WEIGHTS in sums:
        return sums[MODEL_WEIGHTS].sha256
    gone = dropped(folder, candidate)
    return checksum(folder.model(candidate) / WEIGHTS) if gone is None else gone.sha256


def restore(folder: RunFolder, candidate: str, weights: Path) -> None:
    """Moves weights, made on the same file system, to where a candidate's belong."""
    weights.replace(folder.model(candidate) / WEIGHTS)
    (folder.model(candidate) / _SET_ASIDE).unlink(missing_ok=True)
    (folder.candidate(candidate) / DROPPED).unlink(missing_ok=True)


def restore_damaged(folder: RunFolder, candidate: str, made: Path) -> None:
    """Moves files of a candidate that was made again to where damaged ones are, if they are equal.

    Args:
        folder: The study's run folder.
        candidate: Whose.
        made: Folder of the candidate that was made again, on the same file system.
    """
    target = folder.candidate(candidate)
    for name, expected in written_sums(target).items():
        source = made / name
        if damage(target, name) and source.is_file() and checksum(source) == expected.sha256:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            source.replace(target / name)


def _model_sums(folder: RunFolder, candidate: str) -> Mapping[str, Checksum]:
    """Sums of what a candidate's model folder holds."""
    sums = written_sums(folder.candidate(candidate))
    return {name: each for name, each in sums.items() if name.startswith("model/")}


def _dropped(folder: RunFolder, candidate: str) -> Dropped:
    path = folder.candidate(candidate) / DROPPED
    return Dropped(**json.loads(path.read_text(encoding="utf-8")))


def leave_elsewhere(candidate: Path) -> None:
    """Writes down, in a folder without weights, that the study's shared files have them."""
    expected = written_sums(candidate).get(MODEL_WEIGHTS)
    if expected is not None:
        _write(candidate, Dropped(expected.sha256, expected.size, elsewhere=True))


def _write_down(folder: RunFolder, candidate: str, gone: Dropped) -> None:
    _write(folder.candidate(candidate), gone)


def _write(candidate: Path, gone: Dropped) -> None:
    # Earlier versions know no key but these two.
    content: dict[str, object] = {"sha256": gone.sha256, "size": gone.size}
    content |= {name: True for name in ("damaged", "elsewhere") if getattr(gone, name)}
    write_atomically(candidate / DROPPED, json.dumps(content) + "\n")


def weights_size(folder: RunFolder, candidate: str) -> int:
    """Bytes that a candidate's weights take, 0 where there are none."""
    try:
        return (folder.model(candidate) / WEIGHTS).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
