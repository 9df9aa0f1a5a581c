"""A candidate's stored predictions: start and end logits of every evaluation window."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from autoqa.arrays import Floats
from autoqa.store.checksums import DamagedError, check
from autoqa.store.private_openings import Opening
from autoqa.store.run_folder import RECORD, Part, RunFolder, check_opening, sealed_folder


def load_logits(
    folder: RunFolder, candidate_id: str, part: Part, opening: Opening | None = None
) -> tuple[Floats, Floats]:
    """Start and end logits of one candidate, float32 ``[T]`` each.

    Args:
        folder: The study's run folder.
        candidate_id: Whose.
        part: Of which part's windows.
        opening: What :meth:`Store.log_opening` returned; needed for the private part.

    Raises:
        ConfigError: The private part was asked for without an opening.
        DamagedError: The file is missing or damaged.
    """
    return read_logits(folder.candidate(candidate_id), part, opening)


def read_logits(
    candidate: Path, part: Part, opening: Opening | None = None
) -> tuple[Floats, Floats]:
    """What :func:`write_logits` wrote into a folder, float32 ``[T]`` each.

    Raises:
        ConfigError: The private part was asked for without an opening.
        DamagedError: The file is missing or damaged.
    """
    check_opening(part, opening)
    path = _path(candidate, part)
    check(candidate, path.relative_to(candidate).as_posix())
    try:
        tensors = load_file(path)
        return tensors["start"].astype(np.float32), tensors["end"].astype(np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise DamagedError(
            f"{path}: cannot read the logits of candidate {candidate.name} ({error})"
        ) from error


def check_predictions(folder: RunFolder, candidate_id: str) -> None:
    """Looks whether a candidate's predictions of both parts, where they are, are as written.

    Nothing is learned of them, so the private part's need no opening.

    Raises:
        DamagedError: They are not.
    """
    candidate = folder.candidate(candidate_id)
    for path in (_path(candidate, "public"), _path(candidate, "private")):
        check(candidate, path.relative_to(candidate).as_posix())
        if path.is_file():
            try:
                # A torn file of a candidate without checksums shows here at least.
                with safe_open(path, "np"):
                    pass
            except (OSError, SafetensorError) as error:
                raise DamagedError(f"{path} is damaged ({error})") from error


def left_out(folder: RunFolder, candidate_id: str) -> str | None:
    """Why a candidate takes no part in what is chosen or compared, as a sentence with the way out.

    Returns:
        ``None`` where its record and predictions are as they were written.
    """
    again = f"`autoqa search {folder.study_file}` mends it or sets it aside"
    try:
        check(folder.candidate(candidate_id), RECORD)
        study = folder.path.name
        soup = candidate_id.startswith("soup-")
        command = f"soup {study}" if soup else f"retrain {study} {candidate_id}"
        again = f"`autoqa {command}` makes it again"
        check_predictions(folder, candidate_id)
    except DamagedError as error:
        return f"candidate {candidate_id} is left out: {error}; {again}"
    return None


def write_logits(
    candidate: Path,
    part: Part,
    start: Floats,
    end: Floats,
    dtype: type[np.float16] | type[np.float32] = np.float32,
) -> None:
    """Writes one part's logits into a candidate's (possibly still temporary) folder.

    Args:
        candidate: The folder.
        part: Which windows they belong to.
        start: Start logits, ``[T]``.
        end: End logits, ``[T]``.
        dtype: What they are stored as.
    """
    path = _path(candidate, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"start": start.astype(dtype), "end": end.astype(dtype)}, path)


def _path(candidate: Path, part: Part) -> Path:
    return sealed_folder(candidate, part) / f"{part}.safetensors"
