"""What runs on a node of a Ray cluster: an actor that keeps one worker process beside it.

Ray does not tell how a process of its own ended; a parent does know it of its child. So the
training runs in a child of the actor, which is the same process that works on a single machine.
"""

import os
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import ray

from autoqa.registry.versions import environment
from autoqa.training.jobs import Job
from autoqa.training.messages import Message
from autoqa.workers.base import WAIT_SECONDS, WorkerSettings
from autoqa.workers.local_process import LocalProcess


@dataclass(frozen=True, slots=True)
class Report:
    """What an actor answers when it is asked for news.

    Attributes:
        messages: All after those that are known to have arrived.
        cause: Why the child is gone; ``None`` while it runs.
        was_killed: Whether it was ended from outside.
    """

    messages: tuple[Message, ...]
    cause: str | None = None
    was_killed: bool = False


class NodeWorker:
    """The actor. Its methods run one after the other."""

    def look(self, marker: str) -> dict[str, Any]:
        """Where this is, versions here, and what a file of the search's machine holds here.

        All are plain values, because the code here may be another one.

        Args:
            marker: Absolute path of the file.
        """
        try:
            content = Path(marker).read_text(encoding="utf-8")
        except OSError:
            content = None
        return {
            "id": ray.get_runtime_context().get_node_id(),
            "name": f"node {ray.util.get_node_ip_address()}",
            "environment": environment(),
            "content": content,
        }

    def open(
        self, number: int, settings: WorkerSettings, variables: dict[str, str], folder: str
    ) -> None:
        """Prepares the worker; it starts with its first job.

        Args:
            number: The worker's number in the search.
            settings: Of the search; devices are those that Ray gives to this actor.
            variables: What the environment must have.
            folder: Where the search was started; relative paths begin here if it is there.
        """
        os.environ.update(variables)
        if Path(folder).is_dir():
            os.chdir(folder)
        # A spawned child runs its parent's script again, under another name: this one is Ray's.
        sys.modules["__main__"].__file__ = None
        planned = settings.plan.devices[number] is not None
        device = os.environ.get("CUDA_VISIBLE_DEVICES") if planned else None
        plan = replace(settings.plan, devices=(device,) * settings.plan.count)
        self._process = LocalProcess(number, replace(settings, plan=plan))
        self._kept: list[Message] = []
        self._known = 0

    def assign(self, job: Job) -> None:
        """Hands a job to the child, and starts it where it does not run."""
        self._process.assign(job)

    def news(self, known: int) -> Report:
        """Waits for messages, for a moment at most.

        Args:
            known: How many messages have arrived at the search so far. Only these are forgotten:
                an answer can get lost on its way.
        """
        del self._kept[: known - self._known]
        self._known = known
        connection = self._process.connection
        if not self._kept and connection is not None:
            wait([connection], timeout=WAIT_SECONDS)
        events = self._process.events()
        self._kept += events.messages
        if not events.died:
            return Report(tuple(self._kept))
        cause = self._process.cause_of_death()
        return Report(tuple(self._kept), cause, self._process.was_killed)

    def stop(self) -> None:
        """Has the child save what it has done and end; :meth:`news` tells when it is over."""
        self._process.stop()

    def end(self) -> None:
        """Ends the child with whatever it does, and waits until it is over."""
        self._process.end()
