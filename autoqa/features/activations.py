"""What frozen layers make of windows, on disk: written once per window, read by every run.

One entry of the feature cache holds all windows of one frozen network: a file of rows back to back
and an index that says where each window's rows are. Both only grow. Rows are written before the
index names them, so that a killed writer leaves nothing that counts.

Rows are kept in single precision. Half of it would take half the room, but rounding to it changes
which way the next layer's products round: in bf16 that moves gradients by 1.3 %, as much as bf16
itself does. Kept as they are, they change nothing at all.
"""

import logging
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autoqa.files import locked

_log = logging.getLogger(__name__)

ActivationRows = npt.NDArray[np.float32]

KEY_BYTES = 16
"""Length of a window's key."""

_RECORD = np.dtype(
    [("key", f"V{KEY_BYTES}"), ("first", "<i8"), ("count", "<i4"), ("checksum", "<u4")]
)


class Activations:
    """Rows by window; several processes may read and add at once.

    Rows are read, not mapped: they are converted at once anyway, and a file that somebody cuts off
    must not kill the process that looks at it.

    Args:
        folder: The entry; it need not exist yet.
        width: Numbers in a row.
        make_room: Told how many bytes are to be added; says whether the quota has room for them.
    """

    def __init__(self, folder: Path, width: int, make_room: Callable[[int], bool]) -> None:
        self._folder, self._make_room = folder, make_room
        self._width, self._row = width, width * np.dtype(np.float32).itemsize
        self._places: dict[bytes, tuple[int, int, int]] = {}
        self._inode, self._records = 0, 0
        self._writes = True

    def get(self, key: bytes) -> ActivationRows | None:
        """A window's rows, ``[tokens, width]``, or ``None`` where there are none.

        Damaged rows count as absent, and :meth:`add` takes the window again.
        """
        try:
            if key not in self._places:
                self._refresh()
            if key not in self._places:
                return None
            first, count, checksum = self._places[key]
            with (self._folder / "rows").open("rb", buffering=0) as file:
                inside = (first + count) * self._row <= os.fstat(file.fileno()).st_size
                place = (count * self._row, first * self._row)
                content = os.pread(file.fileno(), *place) if inside else b""
        except OSError:  # never written, or removed by whoever needed the room
            self._forget()
            return None
        if len(content) != count * self._row or zlib.crc32(content) != checksum:
            if self._replaced():
                return self.get(key)
            _log.warning("Activations in %s are damaged and made again.", self._folder)
            del self._places[key]
            return None
        return np.frombuffer(content, np.float32).reshape(count, self._width)

    def add(self, made: Mapping[bytes, ActivationRows]) -> None:
        """Keeps rows of windows, unless another process has by now or there is no room.

        Where nothing can be written, work goes on without it.
        """
        if not self._writes or not made:
            return
        try:
            with locked(self._folder.with_name(f"{self._folder.name}.lock"), remove=True):
                self._append(made)
        except OSError as error:
            self._stop_writing(f"{self._folder} is not usable ({error})")

    def _append(self, made: Mapping[bytes, ActivationRows]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "rows"
        if not path.exists():
            self._index.unlink(missing_ok=True)
        self._refresh()
        fresh = {key: rows for key, rows in made.items() if key not in self._places}
        if not fresh:
            return
        if not self._make_room(sum(rows.nbytes + _RECORD.itemsize for rows in fresh.values())):
            self._stop_writing("AUTOQA_CACHE_GIB leaves no room for them")
            return
        # Rows that no index names were left by a killed writer; nobody reads them.
        first = -(-path.stat().st_size // self._row) if path.exists() else 0
        records = np.zeros(len(fresh), _RECORD)
        begin = first
        for record, (key, rows) in zip(records, fresh.items(), strict=True):
            record["key"], record["first"], record["count"] = np.void(key), first, len(rows)
            record["checksum"] = zlib.crc32(rows.tobytes())
            first += len(rows)
        _write(path, begin * self._row, b"".join(rows.tobytes() for rows in fresh.values()))
        _write(self._index, self._records * _RECORD.itemsize, records.tobytes())
        os.utime(self._folder)

    @property
    def _index(self) -> Path:
        return self._folder / "index"

    def _refresh(self) -> None:
        """Takes in what was added to the index; an index in the place of another is read anew."""
        try:
            state = self._index.stat()
        except FileNotFoundError:
            self._forget()
            return
        if state.st_ino != self._inode or state.st_size < self._records * _RECORD.itemsize:
            self._forget()
            self._inode = state.st_ino
        if state.st_size // _RECORD.itemsize == self._records:
            return
        records = np.fromfile(self._index, _RECORD, offset=self._records * _RECORD.itemsize)
        for key, first, count, checksum in records.tolist():
            if first >= 0 and count >= 0:
                self._places[bytes(key)] = (first, count, checksum)
        self._records += len(records)

    def _replaced(self) -> bool:
        """Whether another process removed the entry and began it anew; if so, it is read anew."""
        before = self._inode
        self._refresh()
        return self._inode != before

    def _forget(self) -> None:
        self._places.clear()
        self._inode, self._records = 0, 0

    def _stop_writing(self, why: str) -> None:
        self._writes = False
        _log.warning("Further activations are not cached: %s.", why)


def _write(path: Path, begin: int, content: bytes) -> None:
    """Puts bytes at a place where nothing valid stands."""
    with path.open("r+b" if path.exists() else "xb") as file:
        file.seek(begin)
        file.write(content)
