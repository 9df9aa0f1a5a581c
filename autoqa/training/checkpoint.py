"""Checkpoints: the state of a run on disk, from which it, or another run, goes on bit-exactly.

There are two kinds. A *stage* checkpoint stands at the end of a stage and is named by a key of all
that influenced the weights until there; any run with the same beginning may fork from it. A *run*
checkpoint is the latest state of one unfinished run, named by a key of the whole run, and goes when
the run is finished. Files are safetensors; no code is ever loaded from one.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from autoqa.files import locked, writing_file

TRAINING_VERSION = 1
"""Goes up when the same run would train other weights; part of every key."""


def key_of(parts: Mapping[str, Any]) -> str:
    """Sixteen hex digits of JSON values; equal values have equal keys on every machine."""
    text = json.dumps({**parts, "version": TRAINING_VERSION}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _digest(tensors: Mapping[str, torch.Tensor], facts: str) -> str:
    """The sha256 of tensors on the CPU, their names and shapes, and facts."""
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


class Checkpoints:
    """The checkpoints of one study.

    Args:
        folder: Where they lie; made when the first one is written.
        quota: Most bytes in all. The least recently used go first; 0 keeps none.
        note: Told, in a sentence, of a checkpoint that is damaged.
    """

    def __init__(
        self, folder: Path, quota: int, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self.folder = folder
        self.quota = quota
        self.note = note

    def path(self, name: str) -> Path:
        """The file of a checkpoint."""
        return self.folder / f"{name}.safetensors"

    def save(
        self, name: str, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
    ) -> str | None:
        """Writes a checkpoint; the file appears when it is complete.

        Args:
            name: ``stage-KEY`` or ``run-KEY``.
            tensors: On any device; each with memory of its own.
            facts: JSON values.

        Returns:
            ``None``, or a sentence that says why there is no checkpoint; training can go on.
        """
        needed = sum(tensor.nbytes for tensor in tensors.values())
        if needed > self.quota:
            return None if self.quota == 0 else self._too_large(needed)
        self._make_room(needed, spare=name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            on_cpu = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
            with writing_file(self.path(name)) as partial:
                text = json.dumps(dict(facts))
                metadata = {"facts": text, "digest": _digest(on_cpu, text)}
                save_file(on_cpu, partial, metadata=metadata)
        except (OSError, SafetensorError) as error:
            return (
                f"no checkpoint was written to {self.folder} ({error}); the run goes on, but could "
                "not be resumed from here"
            )
        return None

    def load(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """Reads a checkpoint; a damaged one is removed, told of, and counts as absent."""
        path = self.path(name)
        try:
            with safe_open(path, "pt") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                metadata = file.metadata()
            facts = json.loads(metadata["facts"])
            # Those of earlier versions have no digest.
            if metadata.get("digest") not in (None, _digest(tensors, metadata["facts"])):
                raise ValueError("its checksum differs")
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            path.unlink(missing_ok=True)
            self.note(f"the checkpoint {path} is damaged ({error}) and is not used")
            return None
        return tensors, facts

    def remove(self, name: str) -> None:
        """Removes a checkpoint, if there is one."""
        self.path(name).unlink(missing_ok=True)

    @contextmanager
    def claim(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Holds a checkpoint's name for whoever makes it; others wait here, then find it made.

        The kernel lets go when the process ends, however it ends.

        Args:
            name: Whose.
            waiting: Called a few times a second while another process holds it; may raise.
        """
        with locked(self.folder / f".{name}.lock", waiting=waiting):
            yield

    def _make_room(self, needed: int, spare: str) -> None:
        """Removes the least recently used until ``needed`` bytes more fit."""
        checkpoints = []
        for path in self.folder.glob("*.safetensors"):
            try:
                state = path.stat()
            except FileNotFoundError:  # another worker was faster
                continue
            if path != self.path(spare):
                checkpoints.append((state.st_mtime, state.st_size, path))
        used = sum(size for _, size, _ in checkpoints)
        for _, size, path in sorted(checkpoints):
            if used + needed <= self.quota:
                break
            path.unlink(missing_ok=True)
            used -= size

    def _too_large(self, needed: int) -> str:
        return (
            f"a checkpoint takes {needed / 1024**3:.1f} GiB, more than search.checkpoints = "
            f"{self.quota / 1024**3:g}; raise it to share stages and to resume runs"
        )
