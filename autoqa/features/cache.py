"""Encoded data sets on disk: made once per machine, memory-mapped by every worker.

What is kept is a source's whole training set as tokens, under a hash of the tokenizer, the texts
and the encoder's version. Windows are not kept: drawing, cutting, thinning out and shuffling 10,000
of them takes about 50 ms from there, encoding as many questions with their contexts ten times as
long, and training on them minutes. So one entry serves every length, stride, share and random crop
of a source, each of which would otherwise need one of its own.

An entry is a folder of plain arrays and their checksums. It appears when it is complete; one that
is damaged is made again; where it cannot be written, work goes on without it.
"""

import hashlib
import json
import logging
import mmap
import os
import shutil
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from autoqa.env import cache_folder, cache_gib
from autoqa.errors import ConfigError
from autoqa.features.activations import Activations
from autoqa.features.encode import VERSION, Encoded, encode, names_of
from autoqa.features.tokenizer import QATokenizer
from autoqa.files import locked, writing_folder
from autoqa.types import Example

_log = logging.getLogger(__name__)
_ARRAYS = ("ids", "type_ids", "offsets", "starts_word", "question", "context", "answer")
_GIB = 2**30

Arrays = dict[str, npt.NDArray[Any]]


def machine_cache() -> "FeatureCache":
    """The cache that all studies of this machine share.

    Raises:
        ConfigError: ``AUTOQA_CACHE_GIB`` is not a size.
    """
    text = cache_gib()
    try:
        quota = float(text)
    except ValueError:
        quota = -1.0
    if not 0 <= quota < float("inf"):
        raise ConfigError(
            f"AUTOQA_CACHE_GIB is {text!r}; set it to the GiB that cached features may take, "
            f"such as 20."
        )
    return FeatureCache(cache_folder() / "features", int(quota * _GIB))


class FeatureCache:
    """Encoded examples by content.

    Several processes may use one folder: a lock per entry lets one of them encode while the
    others wait for the result.

    Args:
        folder: Holds one folder per entry; it need not exist yet.
        quota: Bytes that the entries may take. The least recently used ones are removed when an
            entry is added, but never one that this process has used.
    """

    def __init__(self, folder: Path, quota: int = 20 * _GIB) -> None:
        self._folder = folder
        self._quota = quota
        self._used: dict[str, Arrays] = {}

    def activations(self, key: str, width: int) -> Activations:
        """What frozen layers make of windows; takes room under the same quota.

        Args:
            key: Names the layers and all that their output depends on beside the window.
            width: Numbers per token.
        """
        name = f"activations-{key}"
        return Activations(
            self._folder / name, width, lambda size: self._make_room(keep=name, needed=size)
        )

    def encoded(self, tokenizer: QATokenizer, examples: Sequence[Example]) -> Encoded:
        """The same as :func:`autoqa.features.encode.encode`, from disk where it can be.

        Args:
            tokenizer: The backbone's tokenizer.
            examples: What to encode; they are told apart by their texts and first answers.
        """
        key = content_key(tokenizer, examples)
        if key not in self._used:
            self._used[key] = self._find(key, tokenizer, examples)
        return Encoded(names_of(examples), tokenizer.template, **self._used[key])

    def _find(self, key: str, tokenizer: QATokenizer, examples: Sequence[Example]) -> Arrays:
        """Reads an entry, or makes it."""
        try:
            with locked(self._folder / f"{key}.lock", remove=True):
                return self._read(key) or self._make(key, encode(tokenizer, examples))
        except OSError as error:
            _log.warning("Features are not cached: %s is not usable (%s).", self._folder, error)
            return _arrays(encode(tokenizer, examples))

    def _read(self, key: str) -> Arrays | None:
        """A complete entry's arrays; one that is not complete is removed."""
        entry = self._folder / key
        if not entry.exists():
            return None
        try:
            arrays = _load(entry)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("Cached features in %s are damaged (%s) and made again.", entry, error)
            shutil.rmtree(entry)
            return None
        os.utime(entry)
        return arrays

    def _make(self, key: str, encoded: Encoded) -> Arrays:
        """Writes an entry and reads it back; where that fails the arrays stay in memory."""
        arrays = _arrays(encoded)
        entry, partial = self._folder / key, self._folder / f"{key}.part"
        try:
            with writing_folder(entry, partial):
                _save(partial, arrays)
            self._make_room(keep=key)
            return _load(entry)
        except (OSError, ValueError) as error:
            _log.warning("Features could not be cached in %s (%s).", entry, error)
            return arrays

    def _make_room(self, keep: str, needed: int = 0) -> bool:
        """Removes the entries that were not used for longest; says whether the quota is met."""
        ages: dict[Path, float] = {}
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process may be removing it
                if path.is_dir():
                    ages[path] = path.stat().st_mtime
        sizes = {path: _size(path) for path in ages}
        excess = sum(sizes.values()) + needed - self._quota
        for path in sorted(ages, key=ages.__getitem__):
            if excess <= 0:
                break
            key = path.name.removesuffix(".part")
            if key == keep or key in self._used:
                continue
            with locked(self._folder / f"{key}.lock", wait=False, remove=True) as lock:
                if lock is not None:
                    shutil.rmtree(path, ignore_errors=True)
                    excess -= sizes[path]
        return excess <= 0


def content_key(tokenizer: QATokenizer, examples: Sequence[Example]) -> str:
    """Forty hex digits of everything that the tokens and labels of examples depend on."""
    digest = hashlib.sha256(f"{VERSION} {tokenizers.__version__} {tokenizer.key}".encode())
    contexts: dict[str, int] = {}
    rows = []
    for example in examples:
        place = contexts.setdefault(example.context, len(contexts))
        answers = example.answers
        answer = (answers[0].start, answers[0].end) if answers else None
        rows.append((example.question, place, answer))
    for text in (*contexts, json.dumps(rows)):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()[:40]


def _arrays(encoded: Encoded) -> Arrays:
    return {name: getattr(encoded, name) for name in _ARRAYS}


def _save(folder: Path, arrays: Arrays) -> None:
    sums = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        np.save(path, array)
        sums[name] = _checksum(path)
    (folder / "entry.json").write_text(json.dumps(sums), encoding="utf-8")


def _load(folder: Path) -> Arrays:
    """Maps the arrays of an entry.

    Raises:
        OSError: A file is missing.
        KeyError: A checksum is missing.
        ValueError: A file is no array, or not the one that was written.
    """
    sums = json.loads((folder / "entry.json").read_text("utf-8"))
    arrays: Arrays = {}
    for name in _ARRAYS:
        path = folder / f"{name}.npy"
        if _checksum(path) != sums[name]:
            raise ValueError(f"{path.name} is not what was written")
        arrays[name] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    return arrays


def _checksum(path: Path) -> int:
    """CRC-32 of a file: finds damage, not forgery."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return zlib.crc32(content)


def _size(folder: Path) -> int:
    """Bytes of a folder's files; another process may be removing them."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except FileNotFoundError:
        return 0
