"""The average of several models' weights: one model, made without training.

After Wortsman et al., Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time (ICML 2022, arXiv:2203.05482). It works for models that
were fine-tuned from the same pretrained weights, head included in what is averaged.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file

from autoqa.errors import DataError
from autoqa.store.weight_quota import WEIGHTS


def average_models(models: Sequence[Path], target: Path) -> None:
    """Writes a model folder with the mean of several models' weights.

    Args:
        models: Folders in Hugging Face layout; what is not averaged is the last one's.
        target: The folder to make.

    Raises:
        DataError: Weights cannot be read, or are of another architecture than the first.
    """
    target.mkdir(parents=True)
    average_weights([model / WEIGHTS for model in models], target / WEIGHTS)
    for path in models[-1].iterdir():
        if path.name != WEIGHTS:
            shutil.copyfile(path, target / path.name)


def average_weights(sources: Sequence[Path], target: Path) -> None:
    """Writes the mean of several weight files of one architecture.

    Tensors are read one after the other, added up in float32 and rounded to the type they had:
    memory holds the result and one tensor of each kind, however many models are averaged. The mean
    of one file is that file's content; the order of the sources does not matter beyond the last
    bit of a float32 sum, which rounding to half precision hides in all but a few weights.

    Args:
        sources: Files in safetensors format with the same tensors; at least one.
        target: The file to write.

    Raises:
        DataError: A file cannot be read, or has other tensors than the first.
        ValueError: There are no sources.
    """
    if not sources:
        raise ValueError("no weights to average")
    with ExitStack() as stack:
        files = [stack.enter_context(_opened(path)) for path in sources]
        shapes = [_layout(file) for file in files]
        for path, layout in zip(sources[1:], shapes[1:], strict=True):
            _check_same(sources[0], shapes[0], path, layout)
        mean = {name: _mean(name, files, sources) for name in sorted(shapes[0])}
    save_file(mean, target, metadata={"format": "pt"})


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="np")
    except Exception as error:  # safetensors raises its own error, an OSError, or a plain one
        raise DataError(f"{path}: cannot read these weights ({error}): restore the file") from error


def _layout(file: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor; nothing is read but the file's head."""
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    return {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}


def _check_same(
    first: Path,
    expected: Mapping[str, tuple[str, tuple[int, ...]]],
    other: Path,
    layout: Mapping[str, tuple[str, tuple[int, ...]]],
) -> None:
    if layout == expected:
        return
    name = min(
        key for key in expected.keys() | layout.keys() if expected.get(key) != layout.get(key)
    )
    here, there = (_said(each.get(name)) for each in (expected, layout))
    raise DataError(
        f"{other} cannot be averaged with {first}: {name} is {there}, there {here}; only models "
        "of one backbone with the same answer head can be"
    )


def _said(entry: tuple[str, tuple[int, ...]] | None) -> str:
    return "missing" if entry is None else f"{entry[0]} {list(entry[1])}"


def _mean(name: str, files: Sequence[Any], sources: Sequence[Path]) -> npt.NDArray[Any]:
    first: npt.NDArray[Any] = files[0].get_tensor(name)
    if not np.issubdtype(first.dtype, np.floating):
        for file, path in zip(files[1:], sources[1:], strict=True):
            if not np.array_equal(first, file.get_tensor(name)):
                raise DataError(
                    f"{path} cannot be averaged with {sources[0]}: {name} holds other numbers"
                )
        return first
    total = first.astype(np.float32)
    for file in files[1:]:
        total += file.get_tensor(name)
    total /= len(files)
    return total.astype(first.dtype)
