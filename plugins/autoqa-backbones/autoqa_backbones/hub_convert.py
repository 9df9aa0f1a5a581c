"""Pickled weights become safetensors, once, where a study says so by ``convert = true``.

A pickle can run any code when it is opened. torch reads it here by an unpickler that knows tensors
and plain containers only, and everything but tensors by name is refused.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoqa.api import MissingAssetError
from autoqa_backbones.folders import INDEX, WEIGHTS, write_json

PICKLED = "pytorch_model.bin"
PICKLED_INDEX = "pytorch_model.bin.index.json"
PICKLED_PATTERNS = (PICKLED, "pytorch_model-*.bin", PICKLED_INDEX)
"""What is downloaded in place of safetensors."""


def pickled_files(folder: Path) -> tuple[str, ...]:
    """Names of the files that hold a folder's pickled weights; empty if any of them is not there.

    Raises:
        MissingAssetError: The list of the files is damaged.
    """
    if (folder / PICKLED).is_file():
        return (PICKLED,)
    if not (folder / PICKLED_INDEX).is_file():
        return ()
    names = sorted(set(_weight_map(folder).values()))
    return tuple(names) if all((folder / name).is_file() for name in names) else ()


def convert_weights(folder: Path, target: Path) -> None:
    """Writes a folder's pickled weights as safetensors, one file for each.

    Args:
        folder: Where the pickles are.
        target: Where the safetensors go.

    Raises:
        MissingAssetError: A file holds anything but tensors, or cannot be read.
    """
    names = pickled_files(folder)
    places: dict[str, str] = {}
    for name in names:
        written = name.replace("pytorch_model", "model").removesuffix(".bin") + ".safetensors"
        tensors = _tensors(folder / name)
        _save(tensors, target / (WEIGHTS if len(names) == 1 else written))
        places |= dict.fromkeys(tensors, written)
    if len(names) > 1:
        write_json(target / INDEX, {"metadata": {}, "weight_map": places})


def _weight_map(folder: Path) -> dict[str, str]:
    path = folder / PICKLED_INDEX
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        if all(isinstance(name, str) and Path(name).name == name for name in names.values()):
            return dict(names)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise MissingAssetError(
        f"{path} does not list the files of the weights, which must lie beside it; fetch it again"
    )


def _tensors(path: Path) -> dict[str, Any]:
    import torch

    load: Callable[..., Any] = torch.load
    try:
        # Files from before torch 1.6 are no archives, and cannot be mapped into memory.
        content = load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    # Unpickling errors, and whatever torch's readers raise on files that are no weights.
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise MissingAssetError(
            f"{path} is not opened, because it holds more than tensors or is damaged "
            f"({type(error).__name__}: {first_line:.120}); take a revision that has "
            "model.safetensors"
        ) from error
    if not isinstance(content, dict) or not content:
        raise MissingAssetError(
            f"{path} holds a {type(content).__name__}, not tensors by name; take a revision that "
            "has model.safetensors"
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise MissingAssetError(
                f"{path} holds a {type(value).__name__} as {name!r} beside its tensors; take a "
                "revision that has model.safetensors"
            )
    return content


def _save(tensors: dict[str, Any], path: Path) -> None:
    """Tensors that are one and the same in memory, as tied embeddings are, are written twice."""
    from safetensors.torch import save_file

    seen: set[int] = set()
    apart = {}
    for name, tensor in tensors.items():
        storage = tensor.untyped_storage()
        shared = storage.data_ptr() in seen or storage.nbytes() != tensor.nbytes
        apart[name] = tensor.clone().contiguous() if shared else tensor.contiguous()
        seen.add(storage.data_ptr())
    save_file(apart, path, metadata={"format": "pt"})
