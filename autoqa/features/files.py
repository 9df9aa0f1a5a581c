"""Windows on disk: one safetensors file of flat arrays."""

from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from autoqa.errors import DataError
from autoqa.features.windows import Windows
from autoqa.files import writing_file
from autoqa.store.checksums import damage_beside, forget_sum_beside, write_sum_beside

_LAYOUT = "autoqa.windows.2"
_NAMES = tuple(field.name for field in fields(Windows) if field.name != "soft")


def save_windows(path: Path, windows: Windows) -> None:
    """Writes windows; the file appears when it is complete, and replaces an older one."""
    arrays = {name: np.ascontiguousarray(getattr(windows, name)) for name in _NAMES}
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_file(path) as partial:
        save_file(arrays, partial, metadata={"layout": _LAYOUT})


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
        arrays = load_file(path)
    except (FileNotFoundError, SafetensorError) as error:
        raise DataError(
            f"{path} cannot be read as windows ({error}); delete it and run again to make it anew."
        ) from error
    if set(arrays) != set(_NAMES):
        raise DataError(
            f"{path} holds the arrays {', '.join(sorted(arrays))}, but windows are "
            f"{', '.join(_NAMES)}; delete it and run again to make it anew."
        )
    windows = Windows(**arrays)
    if len(windows.bounds) != len(windows) + 1 or windows.bounds[-1] != len(windows.input_ids):
        raise DataError(
            f"{path} has {len(windows)} windows but bounds of {len(windows.bounds) - 1} that end "
            f"at token {windows.bounds[-1]} of {len(windows.input_ids)}; delete it and run again "
            f"to make it anew."
        )
    return windows
