"""Paraphrases that this machine has made, kept in the cache so that each is made once."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import TypeVar

from autoqa.api import AutoqaError, ProgressCallback, cache_folder, locked

Make = Callable[[Sequence[str], ProgressCallback], Iterator[tuple[str, list[str]]]]
"""Texts to each one with its paraphrases."""

_Item = TypeVar("_Item")
_PAUSE = 5.0
_TOGETHER = 16
"""Texts that are written down at once: what an interruption costs at most."""


class ParaphraseStore:
    """A table of texts and their paraphrases.

    A database of one file: what is written is written whole, and several processes may use it. One
    of them makes what is lacking while the others wait for it.

    Args:
        key: Names all that paraphrases depend on beside the text.
    """

    def __init__(self, key: str) -> None:
        self.path = cache_folder() / "paraphrases" / f"{key}.sqlite"

    def of(
        self, texts: Iterable[str], make: Make, progress: ProgressCallback
    ) -> dict[str, list[str]]:
        """Paraphrases of texts; those that are lacking are made.

        Args:
            texts: Any texts.
            make: Makes paraphrases.
            progress: Called with texts done and in all, also while another process makes them.

        Raises:
            AutoqaError: The table cannot be read or written.
        """
        wanted = sorted(set(texts))
        known = self._read(wanted) if self.path.exists() else {}
        if len(known) == len(wanted):
            return known

        lock = self.path.with_suffix(".lock")
        with locked(lock, waiting=_now_and_then(lambda: progress(0, len(wanted)))):
            known = self._read(wanted)
            absent = [text for text in wanted if text not in known]
            for some in _several(make(absent, progress) if absent else (), _TOGETHER):
                self._write(some)
                known |= dict(some)
        return known

    def _read(self, texts: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with self._table() as table:
            for some in _several(texts, 500):
                marks = ", ".join("?" * len(some))
                query = f"SELECT text, paraphrases FROM paraphrases WHERE text IN ({marks})"
                found |= {text: json.loads(made) for text, made in table.execute(query, some)}
        return found

    def _write(self, rows: Sequence[tuple[str, list[str]]]) -> None:
        with self._table() as table, table:
            lines = [(text, json.dumps(made, ensure_ascii=False)) for text, made in rows]
            table.executemany("INSERT OR REPLACE INTO paraphrases VALUES (?, ?)", lines)

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as table:
                table.execute(
                    "CREATE TABLE IF NOT EXISTS paraphrases "
                    "(text TEXT PRIMARY KEY, paraphrases TEXT)"
                )
                yield table
        except sqlite3.Error as error:
            raise AutoqaError(
                f"the table of paraphrases {self.path} cannot be used, {error}; make room on its "
                "disk, or remove the file, and its paraphrases are made again."
            ) from error


def _several(items: Iterable[_Item], count: int) -> Iterator[tuple[_Item, ...]]:
    rest = iter(items)
    while some := tuple(islice(rest, count)):
        yield some


def _now_and_then(action: Callable[[], None]) -> Callable[[], None]:
    """The action, at most once in five seconds."""
    last = 0.0

    def act() -> None:
        nonlocal last
        if time.monotonic() - last >= _PAUSE:
            last = time.monotonic()
            action()

    return act
