"""Candidates of a round, remembered as they were when they appeared."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from autoqa.store.run_folder import CANDIDATE, RunFolder

LATER = ("finished.json", "dropped.json")
"""Files that come to a candidate after it was complete."""

Digests = dict[str, str]


def digests(candidate: Path) -> Digests:
    """The sha256 of each file of a candidate."""
    return {
        path.relative_to(candidate).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(candidate.rglob("*"))
        if path.is_file() and path.name not in LATER and not path.name.startswith(".")
    }


class Watch:
    """Looks at a run folder many times a second.

    Args:
        folder: The run folder.

    Attributes:
        seen: Files of each candidate, as they were when it was first seen.
        damaged: Files that the drill itself has damaged, by candidate.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.seen: dict[str, Digests] = {}
        self.damaged: dict[str, set[str]] = {}
        self._over = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches while the block runs."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.look()

    def look(self) -> None:
        """Takes in what is new."""
        with suppress(FileNotFoundError):  # no folder yet, or one just moved away
            for path in self.folder.candidates.iterdir():
                complete = CANDIDATE.fullmatch(path.name) and (path / "candidate.json").is_file()
                if complete and path.name not in self.seen:
                    self.seen[path.name] = digests(path)

    def damage(self, candidate: str, file: str) -> Path:
        """The path of a candidate's file, from here on known as damaged."""
        self.damaged.setdefault(candidate, set()).add(file)
        return self.folder.candidate(candidate) / file

    def changed(self) -> list[str]:
        """A sentence on each candidate that is lost, or not what it was, without the drill."""
        sentences = []
        for name, before in self.seen.items():
            path, known = self.folder.candidate(name), self.damaged.get(name, set())
            if not path.is_dir():
                if not self.is_aside(name):
                    sentences.append(f"candidate {name} is lost")
                continue
            if self.is_aside(name):
                continue  # it is made again, and compared then
            now = digests(path)
            differ = {
                file for file in before.keys() | now.keys() if before.get(file) != now.get(file)
            }
            differ = {file for file in differ if not file.endswith(".damaged")} - known
            if differ:
                sentences.append(f"candidate {name} is changed: {', '.join(sorted(differ))}")
        return sentences

    def is_aside(self, name: str) -> bool:
        """Whether a candidate was set aside whose record the drill has damaged."""
        told = {"candidate.json", "checksums.json"} & self.damaged.get(name, set())
        return bool(told) and bool(list(self.folder.damaged.glob(f"{name}.*")))

    def still_damaged(self, but: Sequence[str] = ()) -> list[str]:
        """Candidates with a file that is not what it was, or that is not there.

        Args:
            but: Names of files that may be others, in candidates that were made as a whole.
        """
        names = []
        for name in self.damaged:
            path, before = self.folder.candidate(name), self.seen[name]
            now = digests(path) if path.is_dir() else {}
            free = but if self.is_aside(name) else ()
            if any(now.get(file) != before[file] for file in before if file not in free):
                names.append(name)
        return sorted(names)
