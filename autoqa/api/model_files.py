"""A pretrained model that a plugin uses as it is: by its id on the hub, or in a folder."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.api.downloads import Download, hub_downloads
from autoqa.errors import MissingAssetError
from autoqa.hub.repository import HubRepository

_OTHERS = (
    *("config.json", "generation_config.json", "*token*.json", "vocab.*", "target_vocab.json"),
    *("merges.txt", "*.spm", "*.model"),
)

_END = 2**16
"""Bytes at each end of a file that tell it from others."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The configuration, weights and tokenizer of a model.

    Attributes:
        model: An id such as ``facebook/nllb-200-distilled-600M``, or a folder such as
            ``./my-model``.
        revision: Branch, tag or commit of an id.
        pickled: The weights are those of ``pytorch_model.bin``; whoever reads them must take
            tensors from it, and nothing else. Left out, those of ``model.safetensors``.
    """

    model: str
    revision: str = "main"
    pickled: bool = False

    def missing(self) -> str | None:
        """A sentence about what is not here and how to get it; asks no network."""
        local = self._local()
        if local is None:
            sentence = self._repository().missing()
            if sentence is not None:
                return sentence
        folder = self._here() if local is None else local
        if folder is None or not folder.is_dir():
            return f"the folder {self.model} does not exist; put the model there, or correct it"
        for pattern in ("config.json", self._weights):
            if not any(folder.glob(pattern)):
                return f"the folder {folder} has no {pattern}; {self._advice(folder)}"
        return None

    def downloads(self) -> Sequence[Download]:
        """What is to be fetched; asks the hub for sizes.

        Raises:
            MissingAssetError: The hub has it not, or cannot be reached, or must not be.
        """
        if self._local() is not None or self.missing() is None:
            return ()
        return hub_downloads(self._repository())

    def folder(self) -> Path:
        """Where the files are.

        Raises:
            MissingAssetError: Some are not here.
        """
        sentence, folder = self.missing(), self._here()
        if sentence is not None or folder is None:
            raise MissingAssetError(sentence or f"{self.model} is not here")
        return folder

    def key(self) -> str:
        """Twelve hex digits that stand for the files; of an absent model, for its name."""
        folder, digest = self._here(), hashlib.sha256(f"{self.model} {self.revision}".encode())
        if folder is not None and self._local() is None:
            digest.update(folder.name.encode())  # the commit
        elif folder is not None:
            for path in sorted(each for each in folder.iterdir() if each.is_file()):
                digest.update(f"{path.name} {path.stat().st_size} ".encode() + _ends(path))
        return digest.hexdigest()[:12]

    @property
    def _weights(self) -> str:
        return "pytorch_model*.bin" if self.pickled else "model*.safetensors"

    def _local(self) -> Path | None:
        path = Path(self.model).expanduser()
        begins = self.model.startswith(("./", "../", "~", os.sep))
        return path if begins or path.is_dir() else None

    def _here(self) -> Path | None:
        local = self._local()
        return self._repository().folder() if local is None else local

    def _repository(self) -> HubRepository:
        patterns = (*_OTHERS, self._weights, f"{self._weights}.index.json")
        return HubRepository(self.model, revision=self.revision, patterns=patterns)

    def _advice(self, folder: Path) -> str:
        if not self.pickled and any(folder.glob("pytorch_model*.bin")):
            return "its weights are in pytorch_model.bin, which pickled = true reads"
        if self._local() is None:
            return f"fetch it with `{self._repository().command}`"
        return "put there what save_pretrained writes"


def _ends(path: Path) -> bytes:
    """The beginning and the end of a file: training changes the last weights with all others."""
    with path.open("rb") as file:
        begin = file.read(_END)
        file.seek(max(path.stat().st_size - _END, 0))
        return begin + file.read()
