"""What lies in the cache that all studies of a machine share, and what of it can go.

Only what autoqa names as its own is listed or removed: entries of features and activations,
timings, and backbones that plugins have prepared. Everything can be made again.
"""

import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autoqa.env import cache_folder
from autoqa.errors import AutoqaError
from autoqa.files import locked
from autoqa.store.process_identity import ProcessIdentity
from autoqa.store.searchers import Searcher
from autoqa.upkeep.disk_use import files_below, size_of
from autoqa.upkeep.study_place import studies_here

KINDS = ("features", "activations", "timings", "backbones")

_FEATURES = re.compile(r"[0-9a-f]{40}(\.part)?")
_ACTIVATIONS = re.compile(r"activations-[0-9a-f]+")
_DIGEST = re.compile(r"[0-9a-f]{16}\.json")


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """Something in the cache.

    Attributes:
        kind: One of :data:`KINDS`.
        path: File or folder.
        size: Bytes.
        used: When it was last used, seconds since the epoch.
    """

    kind: str
    path: Path
    size: int
    used: float


def cache_entries(kinds: Collection[str] = KINDS, *, older_than: float = 0.0) -> list[CacheEntry]:
    """What lies in the cache, the least recently used first.

    Args:
        kinds: Which kinds.
        older_than: Days since the last use.
    """
    latest = time.time() - 24 * 3600 * older_than
    entries = [entry for entry in _entries(cache_folder()) if entry.kind in kinds]
    return sorted(
        (entry for entry in entries if entry.used <= latest or not older_than),
        key=lambda entry: (entry.used, entry.path),
    )


def _entries(cache: Path) -> Iterator[CacheEntry]:
    for path in _inside(cache / "features"):
        for kind, names in (("features", _FEATURES), ("activations", _ACTIVATIONS)):
            if names.fullmatch(path.name) and path.is_dir():
                yield CacheEntry(kind, path, size_of(path), path.stat().st_mtime)
    for path in _inside(cache / "timings"):
        if _DIGEST.fullmatch(path.name) and path.is_file():
            yield CacheEntry("timings", path, size_of(path), path.stat().st_mtime)
    for path in _inside(cache / "backbones"):
        if _DIGEST.fullmatch(path.name) and path.is_file():  # says where one is
            yield CacheEntry("backbones", path, size_of(path), path.stat().st_mtime)
        if (path / "config.json").is_file() or path.name.endswith(".partial"):
            # Nobody marks when a backbone is used; the file system knows when it was read.
            states = [state for _, state in files_below(path)]
            used = max((max(each.st_mtime, each.st_atime) for each in states), default=0.0)
            yield CacheEntry("backbones", path, sum(each.st_size for each in states), used)


def _inside(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.is_symlink())


def remove_entries(entries: Iterable[CacheEntry]) -> tuple[list[CacheEntry], list[CacheEntry]]:
    """Removes entries, but none that a process is making at this moment.

    Returns:
        Those that were removed, and those that were left.

    Raises:
        AutoqaError: One cannot be removed.
    """
    removed: list[CacheEntry] = []
    left: list[CacheEntry] = []
    for entry in entries:
        try:
            (removed if _remove(entry) else left).append(entry)
        except OSError as error:
            raise AutoqaError(f"{entry.path} cannot be removed: {error}") from error
    return removed, left


def _remove(entry: CacheEntry) -> bool:
    path = entry.path
    if entry.kind == "timings":
        path.unlink(missing_ok=True)
        return True
    # The locks of those who make an entry of features, and of plugins that make a backbone.
    backbone = entry.kind == "backbones"
    name = path.name.removesuffix(".part")
    if backbone:
        # What is half-made is called .NAME.RANDOM.partial.
        name = name.rsplit(".", 2)[0] if name.endswith(".partial") else f".{name}"
    with locked(path.with_name(f"{name}.lock"), wait=False, remove=not backbone) as lock:
        if lock is None:
            return False
        if path.exists():
            shutil.rmtree(path)
        return True


def training_here() -> Searcher | None:
    """A process of this machine that works on one of its studies, if there is one.

    What trains reads its backbone's folder again and again.
    """
    own = ProcessIdentity.own()
    for place in studies_here():
        try:
            with place.look() as store:
                searchers = store.searchers()
        except AutoqaError:  # nobody can work on what cannot be opened
            continue
        for each in searchers:
            if each.process.host == own.host and each.is_alive():
                return each
    return None
