"""A round of the drill: one study, searched by real processes that are let down again and again."""

import random
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autoqa.errors import AutoqaError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import keep_windows
from autoqa.features.window_group import WindowGroup
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests.bundle_kit import LENGTH, STRIDE, write_tokenizer
from tests.drill import processes, runs
from tests.drill.processes import Process, StuckError, until
from tests.drill.watch import Watch
from tests.postgres import Postgres
from tests.searching import fakes

SECONDS = 420 * processes.PATIENCE
"""Time after which a round counts as stuck."""

MORE = 6
"""Trials that are added when a search is done before all faults have come."""

EXPECTED = {
    0: "done",
    1: "taken for dead, or the database stayed away",
    6: "the machine let it down too often",
    -signal.SIGKILL: "killed by the drill",
}
"""Ends of a search after which the same command is given again."""


@dataclass
class Round:
    """One study under fire.

    Attributes:
        name: The study's.
        folder: Holds the study file, what was said, and the run folder's disk.
        faults: Names of the faults, in order.
        seed: Of the moments.
        server: PostgreSQL, or ``None`` for SQLite.
        joined: Whether a second process joins.
        checkpoints: Whether runs keep checkpoints.
        total: Trials wanted.
        inflicted: Faults that came.
        problems: What was found wrong, in sentences.
    """

    name: str
    folder: Path
    faults: Sequence[str]
    seed: str
    server: Postgres | None = None
    joined: bool = False
    checkpoints: bool = False
    total: int = 8
    inflicted: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    disk: bool = False
    _running: dict[str, Process] = field(default_factory=dict)
    _starts: int = 0

    def __post_init__(self) -> None:
        self.mark, self.random = uuid.uuid4().hex, random.Random(self.seed)
        self.home, self.orders = self.folder / "runs", self.folder / "orders"
        self.run_folder = RunFolder(self.home / self.name)
        self.watch = Watch(self.run_folder)
        self.url = self.run_folder.store_url(self.server.address if self.server else None)
        self._end = time.monotonic() + SECONDS

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Has a study file and a disk of its own, if mounting is allowed, while the block runs."""
        self.home.mkdir(parents=True)
        self.orders.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(self.home)]
        self.disk = subprocess.run(mount, capture_output=True).returncode == 0
        try:
            self.run_folder.create()
            self._write()
            yield
        finally:
            processes.kill_all(self.mark)
            if self.disk:
                kept = self.folder / "kept"
                shutil.copytree(self.home, kept)  # for whoever looks into what went wrong
                subprocess.run(["umount", "--lazy", str(self.home)], check=True)

    def _write(self) -> None:
        storage = f'\nstorage = "{self.url}"' if self.server else ""
        text = fakes.STUDY.replace('name = "small"', f'name = "{self.name}"')
        text = text.replace("workers = 1", f"workers = {1 if self.joined else 2}{storage}")
        (self.folder / "study.toml").write_text(text)
        tokenizer = write_tokenizer(self.folder / "tokenizer")
        group = str(WindowGroup(tokenizer.key, LENGTH, STRIDE))
        counts = [group]
        for part, examples in (("public", runs.PUBLIC), ("private", runs.PRIVATE)):
            windows = cut(encode(tokenizer, examples), LENGTH, STRIDE)
            keep_windows(self.run_folder.windows_path(group, part), windows)  # type: ignore[arg-type]
            counts.append(str(windows.lengths.sum()))
        self.variables = {
            "AUTOQA_HOME": str(self.home),
            "AUTOQA_CACHE": str(self.folder / "cache"),
            runs.ORDERS: str(self.orders),
            runs.TOKENS: " ".join(counts),
        }
        if self.checkpoints:
            self.variables[runs.CHECKPOINTS] = "1"

    @property
    def roles(self) -> list[str]:
        """Who searches."""
        return ["search", "join"] if self.joined else ["search"]

    def start(self, role: str) -> None:
        """Starts a process that searches."""
        self._starts += 1
        if self._starts > 40 + 4 * len(self.faults):
            raise StuckError("processes had to be started too often")
        rest = [str(self.total)] if role == "search" else []
        said = self.folder / f"said-{self._starts:02d}-{role}.txt"
        self._running[role] = self.process(role, *rest, said=said)

    def process(self, *arguments: str, said: Path) -> Process:
        """Starts any process of the drill."""
        return processes.start([str(self.folder), *arguments], self.mark, self.variables, said)

    def tend(self) -> None:
        """Starts again what has ended, as whoever wants the search does."""
        if time.monotonic() > self._end:
            raise StuckError(f"round {self.name} is not over within {SECONDS} s")
        for role in self.roles:
            process = self._running.get(role)
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                self._heed(role, process)
            if process is not None and role == "search" and process.returncode == 0:
                self.total += MORE
            self.start(role)

    def _heed(self, role: str, process: Process) -> None:
        if process.returncode not in EXPECTED:
            said = sorted(self.folder.glob(f"said-*-{role}.txt"))[-1].read_text()[-2000:]
            self.problems.append(f"{role} ended with {process.returncode}: {said}")

    def parents(self) -> list[Process]:
        """Processes that search now."""
        return [each for each in self._running.values() if each.poll() is None]

    def parent(self, role: str | None = None) -> Process:
        """One of them, once there is one."""
        until(lambda: self.tend() or self.parents(), 30, "nobody searches")
        if role is not None:
            return self._running[role]
        return self.random.choice(self.parents())

    def worker(self) -> int:
        """One that runs trials, once there is one."""
        found: list[int] = []

        def look() -> bool:
            self.tend()
            found[:] = processes.workers(self.mark)
            return bool(found)

        until(look, 40, "no worker has started")
        return self.random.choice(found)

    def leases(self) -> list[tuple[str, int]]:
        """Ids and process numbers of those that have a lease; none while the file is damaged."""
        try:
            with Store(self.url, self.name) as store:
                return [(each.id, each.process.pid) for each in store.searchers()]
        except AutoqaError:  # nobody has opened it since it was damaged
            return []

    def order(self, what: str) -> None:
        """Has one run do something, and waits until it does."""
        (self.orders / what).touch()
        until(lambda: self.tend() or not (self.orders / what).exists(), 40, f"no run did {what}")

    def candidate(self) -> str:
        """A whole candidate."""
        found: list[str] = []

        def look() -> bool:
            self.tend()
            found[:] = sorted(self.watch.seen.keys() - self.watch.damaged.keys())
            return bool(found)

        until(look, 40, "there is no candidate")
        return self.random.choice(found)

    def pause(self, least: float, most: float) -> None:
        """Lets some time pass."""
        time.sleep(self.random.uniform(least, most))

    def finish(self) -> None:
        """Has all trials trained, those too that had failed for good before."""
        for _ in range(2):
            while True:
                process = self._running.get("search")
                if process is None:
                    self.start("search")
                elif process.poll() is None:
                    time.sleep(0.05)
                elif process.returncode == 0:
                    break
                else:
                    self._heed("search", process)
                    self.start("search")
                if time.monotonic() > self._end:
                    raise StuckError(f"round {self.name} is not over within {SECONDS} s")
            self._running.pop("search")
        for process in self._running.values():
            try:
                process.wait(30 * processes.PATIENCE)
            except subprocess.TimeoutExpired:
                raise StuckError("one that joined does not end with the search") from None
