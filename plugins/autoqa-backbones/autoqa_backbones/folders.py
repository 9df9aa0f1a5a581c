"""Folders below the cache that are there whole or not at all.

What makes a folder writes into a temporary one beside it; a rename, which file systems do at
once, gives it its name. A lock lets one process work while the others wait for its result, and
makes it safe to remove what a killed process left.
"""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

SMALL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
"""What a prepared folder holds beside the weights."""

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
"""Stands for the weights where these are split over several files, and lists them."""


def weight_files(folder: Path) -> tuple[str, ...]:
    """Names of the files that hold a folder's weights; empty if any of them is not there."""
    names: tuple[str, ...] = (WEIGHTS,)
    if not (folder / WEIGHTS).is_file() and (folder / INDEX).is_file():
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = (INDEX, *sorted(set(index["weight_map"].values())))
    return names if all((folder / name).is_file() for name in names) else ()


def is_complete(folder: Path) -> bool:
    """Whether a folder holds everything that training reads from a backbone."""
    return all((folder / name).is_file() for name in SMALL_FILES) and bool(weight_files(folder))


def published(cache: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Makes a model folder once, whole, also when several processes ask at the same time.

    Args:
        cache: autoqa's cache folder.
        name: Name of the folder; holds everything that decides its content.
        make: Fills the folder it is handed; what it raises leaves nothing behind.

    Returns:
        ``cache/backbones/<name>``.
    """
    parent = cache / "backbones"
    folder = parent / name
    if is_complete(folder):
        return folder
    from filelock import FileLock

    parent.mkdir(parents=True, exist_ok=True)
    with FileLock(parent / f".{name}.lock"):
        if is_complete(folder):
            return folder
        # Whoever made these held the lock, so it is no longer alive.
        for leftover in (folder, *parent.glob(f".{name}.*.partial")):
            if leftover.exists():
                shutil.rmtree(leftover)
        partial = Path(tempfile.mkdtemp(dir=parent, prefix=f".{name}.", suffix=".partial"))
        try:
            make(partial)
            # Temporary folders and safetensors' files are private; a cache may be shared.
            partial.chmod(0o755)
            for path in partial.iterdir():
                if not path.is_symlink():
                    path.chmod(0o644)
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes the small JSON files of a model folder."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
