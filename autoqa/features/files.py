"""Windows on disk: one safetensors file of flat arrays."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from autoqa.decoding.span_search import MAX_ANSWER_TOKENS
from autoqa.errors import DataError
from autoqa.features.windows import Windows
from autoqa.files import writing_file
from autoqa.store.checksums import damage_beside, forget_sum_beside, write_sum_beside
from autoqa.store.run_folder import PARTS, RunFolder

_LAYOUT = "autoqa.windows.2"
_LIMIT = "max_answer_tokens"
_NAMES = tuple(
    field.name for field in fields(Windows) if field.name not in ("soft", "unhidden", _LIMIT)
)


def save_windows(path: Path, windows: Windows) -> None:
    """Writes windows; the file appears when it is complete, and replaces an older one."""
    arrays = {name: np.ascontiguousarray(getattr(windows, name)) for name in _NAMES}
    # One entry, never two: safetensors 0.8 writes several in random order (its issue 584), and
    # equal windows have to be equal bytes, or damaged ones could not be made again.
    metadata = {"layout": _LAYOUT}
    if windows.max_answer_tokens != MAX_ANSWER_TOKENS:  # the bytes of older files stay theirs
        metadata = {_LIMIT: str(windows.max_answer_tokens)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_file(path) as partial:
        save_file(arrays, partial, metadata=metadata)


def keep_windows(path: Path, windows: Windows) -> None:
    """As :func:`save_windows`, with a checksum beside the file that :func:`load_windows` checks."""
    forget_sum_beside(path)
    save_windows(path, windows)
    write_sum_beside(path)


def load_windows(path: Path) -> Windows:
    """Reads what :func:`save_windows` wrote.

    Raises:
        DataError: There is no such file, it does not hold windows, or is not what was written.
    """
    problem = damage_beside(path) if path.is_file() else None
    if problem is not None:
        raise DataError(f"{path} is damaged ({problem}): `autoqa search` makes the windows anew.")
    try:
        arrays, limit = load_file(path), _limit(path)
    except (FileNotFoundError, SafetensorError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as windows ({error}); delete it and run again to make it anew."
        ) from error
    if set(arrays) != set(_NAMES):
        raise DataError(
            f"{path} holds the arrays {', '.join(sorted(arrays))}, but windows are "
            f"{', '.join(_NAMES)}; delete it and run again to make it anew."
        )
    windows = Windows(**arrays, max_answer_tokens=limit)
    if len(windows.bounds) != len(windows) + 1 or windows.bounds[-1] != len(windows.input_ids):
        raise DataError(
            f"{path} has {len(windows)} windows but bounds of {len(windows.bounds) - 1} that end "
            f"at token {windows.bounds[-1]} of {len(windows.input_ids)}; delete it and run again "
            f"to make it anew."
        )
    return windows


def _limit(path: Path) -> int:
    with safe_open(path, framework="np") as file:
        return int((file.metadata() or {}).get(_LIMIT, MAX_ANSWER_TOKENS))


def kept_limit(folder: RunFolder, group: str) -> int | None:
    """Most tokens in an answer that a study's windows of a group allow; they stay on disk.

    Args:
        folder: The study's run folder.
        group: Key of the windows.

    Returns:
        The number; ``None`` where no windows of the group are there and whole.
    """
    for path in (folder.windows_path(group, part) for part in PARTS):
        if path.is_file() and damage_beside(path) is None:
            return _limit(path)
    return None


def kept_limits(folder: RunFolder, groups: Iterable[str]) -> dict[str, int]:
    """As :func:`kept_limit`, for groups whose windows are there.

    Raises:
        DataError: The windows of one are not.
    """
    limits = {group: kept_limit(folder, group) for group in groups}
    for group, limit in limits.items():
        if limit is None:
            raise DataError(
                f"{folder.windows_path(group, 'public')} is missing or damaged: `autoqa search` "
                "makes the windows anew."
            )
    return {group: limit for group, limit in limits.items() if limit is not None}
