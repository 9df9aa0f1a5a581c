"""Texts that models make of texts, kept in the cache so that each is made once."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from autoqa.env import cache_folder
from autoqa.errors import AutoqaError
from autoqa.files import locked
from autoqa.types import ProgressCallback

MakeTexts = Callable[[Sequence[str], ProgressCallback], Iterable[tuple[str, list[str]]]]
"""Texts to each one with what is made of it, in any order."""

_Item = TypeVar("_Item")
_PAUSE = 5.0
"""Seconds between two words of a process that waits for another."""
_TOGETHER = 16
"""Texts that are written down at once: what an interruption costs at most."""
_ASKED = 500
"""Texts that are looked up at once."""


class MadeTexts:
    """A table of texts and what was made of them, below the cache folder.

    A database of one file: what is written is written whole, and several processes may use it. One
    of them makes what is lacking while the others wait; one that is broken off leaves what it had.

    Args:
        kind: What they are, as a folder is called: ``paraphrases``.
        key: Names all that they depend on beside the text.
    """

    def __init__(self, kind: str, key: str) -> None:
        self.path: Path = cache_folder() / kind / f"{key}.sqlite"

    def of(
        self,
        texts: Iterable[str],
        make: MakeTexts,
        progress: ProgressCallback = lambda _done, _total: None,
    ) -> dict[str, list[str]]:
        """What was made of texts; what is lacking is made.

        Args:
            texts: Any texts.
            make: Makes it; called once at most.
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

    def absent(self, texts: Iterable[str]) -> list[str]:
        """Those of some texts of which nothing was made yet, sorted; makes nothing.

        Raises:
            AutoqaError: The table cannot be read.
        """
        wanted = sorted(set(texts))
        known = self._read(wanted) if self.path.exists() else {}
        return [text for text in wanted if text not in known]

    def _read(self, texts: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with self._table() as table:
            for some in _several(texts, _ASKED):
                marks = ", ".join("?" * len(some))
                query = f"SELECT text, made FROM texts WHERE text IN ({marks})"
                found |= {text: json.loads(made) for text, made in table.execute(query, some)}
        return found

    def _write(self, rows: Sequence[tuple[str, list[str]]]) -> None:
        with self._table() as table, table:
            lines = [(text, json.dumps(made, ensure_ascii=False)) for text, made in rows]
            table.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?)", lines)

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as table:
                table.execute("CREATE TABLE IF NOT EXISTS texts (text TEXT PRIMARY KEY, made TEXT)")
                yield table
        except sqlite3.Error as error:
            raise AutoqaError(
                f"the table of {self.path.parent.name} {self.path} cannot be used, {error}; make "
                "room on its disk, or remove the file, and it is made again."
            ) from error


def _several(items: Iterable[_Item], count: int) -> Iterator[tuple[_Item, ...]]:
    rest = iter(items)
    while some := tuple(islice(rest, count)):
        yield some


def _now_and_then(action: Callable[[], None]) -> Callable[[], None]:
    """The action, at most once in a while."""
    last = 0.0

    def act() -> None:
        nonlocal last
        if time.monotonic() - last >= _PAUSE:
            last = time.monotonic()
            action()

    return act
