"""A search's connection to a Ray cluster; imports no Ray itself."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.registry import versions
from autoqa.training.messages import Message
from autoqa.workers.local_process import signals_held_back
from autoqa.workers.ray_messages import (
    Call,
    Connected,
    Ended,
    FromDriver,
    Heard,
    Lost,
    Refused,
    ToDriver,
)

ANSWER_SECONDS = 25.0
"""How long a cluster may take to answer."""

START_SECONDS = 120.0
"""How long Ray may take to start on this machine."""

END_SECONDS = 60.0
"""How long the end of a worker may take before the whole connection is given up."""

GOES_ON = "what finished is kept; the same command goes on where it stopped"

_MARKER = ".shared-"
"""Begins the name of a file by which nodes show that they see the folder. It is new each time, and
no token that stays: a copy of the folder is not the folder, and caches know nothing of it."""

_spawn = get_context("spawn")


@dataclass
class Inbox:
    """What has arrived of a worker and was not asked for yet.

    Attributes:
        messages: In the order in which they were sent.
        lost: Why it is gone, if it is.
        ending: Whether it was told to end and has not said that it did; nothing counts then.
    """

    messages: list[Message] = field(default_factory=list)
    lost: Lost | None = None
    ending: bool = False


class RayCluster:
    """A cluster, through a process of its own that speaks to it.

    Args:
        address: ``HOST:PORT`` of the head node; ``None`` for the one in ``RAY_ADDRESS``, or else
            for Ray on this machine alone, which ends with the search.
        folder: The study's folder, which all nodes must see.

    Attributes:
        nodes: What each node had when the connection was made.
        inboxes: By the workers' numbers.
        over: Why the cluster cannot be used any more, as a sentence; empty while it can.

    Raises:
        MissingAssetError: Ray is not installed.
        ConfigError: The address is none.
        AutoqaError: Nothing answers there, or it is of another version.
    """

    def __init__(self, address: str | None, folder: Path) -> None:
        address = address or os.environ.get("RAY_ADDRESS") or None
        check_address(address)
        self.where = "on this machine" if address is None else f"at {address}"
        self.over = ""
        self.inboxes: dict[int, Inbox] = {}
        self._log = folder.absolute() / "logs" / "ray.log"
        self._marker = folder.absolute() / f"{_MARKER}{secrets.token_hex(4)}"
        call = Call(
            address=address,
            log=self._log,
            marker=str(self._marker),
            secret=secrets.token_hex(16),
            environment=versions.environment(),
            variables=_variables(),
            paths=_paths(),
            folder=str(Path.cwd()),
        )
        for left in folder.glob(f"{_MARKER}*"):  # by a search that was killed: one leads at a time
            left.unlink(missing_ok=True)
        self._marker.write_text(call.secret, encoding="utf-8")
        self.pipe, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_drive, args=(theirs, call), name="autoqa-ray")
        try:
            with signals_held_back():
                self._process.start()
            theirs.close()
            self.nodes = self._greeting(START_SECONDS if address is None else ANSWER_SECONDS).nodes
        except BaseException:
            self.kill()
            self.close()
            raise

    def _greeting(self, seconds: float) -> Connected:
        if not self.pipe.poll(seconds):
            raise AutoqaError(
                f"no Ray cluster answers {self.where} within {seconds:.0f} s: is its head node up? "
                f"What Ray said is in {self._log}"
            )
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            said = Refused(f"Ray could not be reached {self.where}; what it said is in {self._log}")
        if not isinstance(said, Connected):
            raise AutoqaError(said.reason)
        return said

    def send(self, what: ToDriver) -> None:
        """Tells the driver something; where that is gone, :attr:`over` tells of it later."""
        with suppress(OSError):
            self.pipe.send(what)

    def collect(self) -> None:
        """Puts what has arrived into the inboxes; does not wait."""
        try:
            while not self.over and self.pipe.poll():
                self._sort(self.pipe.recv())
        except (EOFError, OSError):
            self.over = f"the Ray cluster {self.where} is lost; what Ray said is in {self._log}"

    def _sort(self, said: FromDriver) -> None:
        match said:
            case Heard(number, message):
                self.inboxes[number].messages.append(message)
            case Lost(number):
                self.inboxes[number].lost = said
            case Ended(number):
                self.inboxes[number] = Inbox()
            case Refused(reason):
                self.over = reason

    def check(self) -> None:
        """Raises AutoqaError if the cluster cannot be used any more."""
        if self.over:
            raise AutoqaError(f"{self.over}. {GOES_ON.capitalize()}")

    def await_ends(self, numbers: Collection[int]) -> None:
        """Waits until those workers have ended that were told to."""
        until = time.monotonic() + END_SECONDS
        while not self.over and any(self.inboxes[number].ending for number in numbers):
            left = until - time.monotonic()
            if left <= 0:
                self.kill()  # actors end with it, whatever they do
                self.over = f"workers on the Ray cluster {self.where} cannot be ended"
                return
            wait([self.pipe], timeout=left)
            self.collect()

    def kill(self) -> None:
        """Ends the driver at once, and all actors with it; does not wait."""
        if self._process.pid is not None:
            self._process.kill()

    def close(self) -> None:
        """Ends the connection, and what Ray started for it."""
        self._marker.unlink(missing_ok=True)
        with suppress(OSError):
            self.pipe.send(None)
        if self._process.pid is not None:
            self._process.join(20)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
        self.pipe.close()


def check_address(address: str | None) -> None:
    """Refuses at once what Ray would try for minutes.

    Raises:
        MissingAssetError: Ray is not installed.
        ConfigError: It is no ``HOST:PORT``.
        AutoqaError: Nothing answers there.
    """
    if find_spec("ray") is None:
        raise MissingAssetError("--on ray needs the package ray: pip install 'autoqa[ray]'")
    if address is None or address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "://" in address:
        raise ConfigError(
            f"the address of a Ray cluster is HOST:PORT, as `ray start --head` prints it, not "
            f"{address!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise AutoqaError(
            f"no Ray cluster answers at {address} ({error}): start one with `ray start --head`, or "
            "leave --address out to run on this machine"
        ) from None


def _drive(pipe: "Connection[FromDriver, Any]", call: Call) -> None:
    import_module("autoqa.workers.ray_driver").main(pipe, call)


def _variables() -> dict[str, str]:
    """What the environment of workers must have of this one; secrets are not among it."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("AUTOQA_", "HF_")) and "TOKEN" not in name
    }
    for name in ("AUTOQA_HOME", "AUTOQA_CACHE"):
        if name in found:
            found[name] = str(Path(found[name]).absolute())
    return found


def _paths() -> list[str]:
    """Folders that modules are imported from here, but for those of Python itself."""
    own = {sys.prefix, sys.base_prefix}
    return [
        str(path)
        for path in (Path(entry).absolute() for entry in dict.fromkeys(sys.path))
        if path.is_dir() and not any(path.is_relative_to(prefix) for prefix in own)
    ]
