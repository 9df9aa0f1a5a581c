"""A candidate's stored predictions: start and end logits of every evaluation window."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from autoqa.arrays import Floats
from autoqa.errors import DataError
from autoqa.store.private_openings import Opening
from autoqa.store.run_folder import Part, RunFolder, check_opening, sealed_folder


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
        DataError: The file is missing or damaged.
    """
    return read_logits(folder.candidate(candidate_id), part, opening)


def read_logits(
    candidate: Path, part: Part, opening: Opening | None = None
) -> tuple[Floats, Floats]:
    """What :func:`write_logits` wrote into a folder, float32 ``[T]`` each.

    Raises:
        ConfigError: The private part was asked for without an opening.
        DataError: The file is missing or damaged.
    """
    check_opening(part, opening)
    path = sealed_folder(candidate, part) / f"{part}.safetensors"
    try:
        tensors = load_file(path)
        return tensors["start"].astype(np.float32), tensors["end"].astype(np.float32)
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError(
            f"{path}: cannot read the logits of candidate {candidate.name} ({error})"
        ) from error


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
    path = sealed_folder(candidate, part) / f"{part}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"start": start.astype(dtype), "end": end.astype(dtype)}, path)
