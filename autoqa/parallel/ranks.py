"""The processes that a worker with several devices trains a run with, as the first one has them.

Rank 0, the worker itself, runs the whole run: data, schedule, clock, checkpoints, messages. The
others are told each step what to compute of it, so there is nothing to agree on but gradients.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TypeVar

import torch

from autoqa.errors import ConfigError
from autoqa.parallel import collectives
from autoqa.parallel.collectives import PeerLostError
from autoqa.parallel.failure import RankError
from autoqa.parallel.rank_orders import (
    Answered,
    Failed,
    Order,
    Ready,
    Reply,
    Rest,
)

_Kind = TypeVar("_Kind", bound=Reply)

NOTICE_SECONDS = 20.0
"""Time in which rank 0 must have noticed the death of another. A device that waits for numbers
which will never come cannot be interrupted; the worker then ends."""

ANSWER_SECONDS = 5.0
"""Time in which it is found out which rank failed, and why."""

EXIT_CODE = 70
"""Of a worker that ended because another rank died and its own device did not let go."""


@dataclass(frozen=True, slots=True)
class _Other:
    """A process of another rank."""

    rank: int
    process: "subprocess.Popen[bytes]"
    pipe: "Connection[Order, Reply]"


class RankProcesses:
    """The other ranks of a worker: started for the first run, kept for the next ones.

    Args:
        size: Ranks with rank 0.
        program: Name of the module that the others run.

    Attributes:
        size: Ranks with rank 0.
        holder: The engine whose state the others have, by its leader; ``None`` for none.
    """

    def __init__(self, size: int, program: str) -> None:
        self.size, self._program = size, program
        self.holder: object = None
        self._others: list[_Other] = []
        self._over = threading.Event()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pids(self) -> list[int]:
        """Process ids of the other ranks."""
        return [other.process.pid for other in self._others]

    def start(self) -> None:
        """Starts the other ranks where they do not run, and meets them.

        Raises:
            ConfigError: There are fewer GPUs than ranks.
            RankError: One of them failed.
        """
        if self._others:
            return
        if torch.cuda.is_available() and torch.cuda.device_count() < self.size:
            raise ConfigError(
                f"search.devices_per_run = {self.size}, but a worker here has "
                f"{torch.cuda.device_count()} GPUs: set devices_per_run = 1, or fewer workers"
            )
        self._over = threading.Event()
        # Kept to the end: connections are made when they are needed first.
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        meeting = Path(self._folder.name) / "meeting"
        with self.guarded():
            for rank in range(1, self.size):
                self._others.append(self._spawned(rank, meeting))
            for other in self._others:
                self._reply(other, Ready)
            collectives.join(meeting, 0, self.size)

    def _spawned(self, rank: int, meeting: Path) -> _Other:
        # Not by multiprocessing: a worker is a daemon, and those may not have children.
        here, there = Pipe()
        descriptor = there.fileno()
        arguments = (descriptor, rank, self.size, meeting, os.getpid())
        process = subprocess.Popen(
            [sys.executable, "-m", self._program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            pass_fds=(descriptor,),
        )
        there.close()
        threading.Thread(target=self._watch, args=(rank, process, self._over), daemon=True).start()
        return _Other(rank, process, here)

    def _watch(self, rank: int, process: "subprocess.Popen[bytes]", over: threading.Event) -> None:
        """Ends this process, too, where it does not notice the other's end by itself."""
        code = process.wait()
        if not over.wait(NOTICE_SECONDS):
            print(self._death(rank, code), flush=True)  # noqa: T201 - to the worker's log
            os._exit(EXIT_CODE)

    def tell(self, rank: int, order: Order) -> None:
        """Sends an order to a rank.

        Raises:
            PeerLostError: It is gone.
        """
        try:
            self._others[rank - 1].pipe.send(order)
        except OSError as error:
            raise PeerLostError(f"device {rank + 1} takes no orders") from error

    def answers(self) -> list[Answered]:
        """The answer of each of the other ranks.

        Raises:
            PeerLostError: One of them gives none.
        """
        return [self._reply(other, Answered) for other in self._others]

    def _reply(self, other: _Other, kind: type[_Kind]) -> _Kind:
        try:
            reply = other.pipe.recv()
        except (OSError, EOFError) as error:
            raise PeerLostError(f"device {other.rank + 1} does not answer") from error
        if isinstance(reply, Failed):
            raise self._failed(other.rank, reply)
        assert isinstance(reply, kind)
        return reply

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Around what all ranks do together; whatever is raised ends the others.

        Raises:
            RankError: One of them failed or died.
        """
        try:
            yield
        except PeerLostError as error:
            cause = self._cause()
            self.end()
            raise cause or error from error
        except BaseException:
            self.end()
            raise

    def _cause(self) -> RankError | None:
        """Which rank failed; others only miss it, and say nothing."""
        limit = time.monotonic() + ANSWER_SECONDS
        left = list(self._others)
        ended: list[RankError] = []
        while left and (seconds := limit - time.monotonic()) > 0:
            ready = wait([other.pipe for other in left], seconds)
            for other in [each for each in left if each.pipe in ready]:
                left.remove(other)
                try:
                    reply = other.pipe.recv()
                except (OSError, EOFError):
                    with suppress(subprocess.TimeoutExpired):
                        code = other.process.wait(ANSWER_SECONDS)
                        ended.append(self._dead(other.rank, code))
                    if ended and ended[-1].kind == "OutOfMemoryError":
                        return ended[-1]
                    continue
                if isinstance(reply, Failed):
                    return self._failed(other.rank, reply)
        return ended[0] if ended else None

    def _failed(self, rank: int, reply: Failed) -> RankError:
        return RankError(f"device {rank + 1} of {self.size}: {reply.reason}", reply.error)

    def _dead(self, rank: int, code: int) -> RankError:
        killed = code == -signal.SIGKILL
        return RankError(self._death(rank, code), "OutOfMemoryError" if killed else "RankError")

    def _death(self, rank: int, code: int) -> str:
        place = f"the process of device {rank + 1} of {self.size}"
        if code == -signal.SIGKILL:
            return f"{place} was killed (SIGKILL, often the kernel's way of saying out of memory)"
        if code < 0:
            return f"{place} was killed by signal {-code}"
        return f"{place} ended by itself with exit code {code}"

    def rest(self) -> None:
        """Has the other ranks let go of what they have in memory; they run on."""
        self.holder = None
        if not self._others:
            return
        try:
            for other in self._others:
                self.tell(other.rank, Rest())
        except PeerLostError:
            self.end()

    def end(self) -> None:
        """Ends the other ranks; the next run starts them again."""
        self._over.set()
        self.holder = None
        for other in self._others:
            other.process.kill()
        for other in self._others:
            other.process.wait()
            other.pipe.close()
        self._others = []
        collectives.leave()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
