"""What a folder takes on disk, by what is in it."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PARTS = (
    "weights",
    "predictions",
    "validation",
    "checkpoints",
    "refits",
    "logs",
    "database",
    "other",
)
"""Of a run folder, in the order in which they are shown."""

_FOLDERS = {
    "validation": "validation",
    "checkpoints": "checkpoints",
    "refits": "refits",
    "logs": "logs",
}


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every file below a folder with its state; whoever works there may remove some meanwhile.

    Links are told as what they are, never as what they lead to.
    """
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            try:
                yield file, file.lstat()
            except OSError:
                continue


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is neither."""
    if path.is_dir() and not path.is_symlink():
        return sum(state.st_size for _, state in files_below(path))
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def disk_use(run_folder: Path) -> dict[str, int]:
    """Bytes of a run folder by part; parts that take nothing are left out."""
    taken: Counter[str] = Counter()
    for file, state in files_below(run_folder):
        taken[_part(file.relative_to(run_folder))] += state.st_size
    return {part: taken[part] for part in PARTS if taken[part]}


def _part(path: Path) -> str:
    """One of :data:`PARTS` for a file's path below a run folder."""
    first, *rest = path.parts
    if first == "candidates":
        return "weights" if "model" in rest[:-1] else "predictions"
    if not rest:
        return "database" if first.startswith("study.db") else "other"
    return _FOLDERS.get(first, "other")
