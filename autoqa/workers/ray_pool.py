"""Workers that are actors on a Ray cluster, as a search sees them."""

from collections.abc import Collection
from dataclasses import fields, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from autoqa.training.jobs import Job
from autoqa.workers.base import WAIT_SECONDS, Events, Worker, WorkerPool, WorkerSettings
from autoqa.workers.ray_cluster import Inbox, RayCluster
from autoqa.workers.ray_messages import Assign, End, Open, Stop


class RayWorker(Worker):
    """One worker, which has an actor from its first job on.

    Args:
        number: Counts from 0 within the pool.
        cluster: Where the actor is to be.
        log: What its child prints, in a folder that all nodes see.
    """

    def __init__(self, number: int, cluster: RayCluster, log: Path) -> None:
        self.number, self.log = number, log
        self._cluster = cluster
        self._active = False
        cluster.inboxes[number] = Inbox()

    @property
    def _inbox(self) -> Inbox:
        return self._cluster.inboxes[self.number]

    def assign(self, job: Job) -> None:
        """Sends the job; the actor is placed where there is none.

        Raises:
            AutoqaError: The cluster is lost, or none of its nodes can be used.
        """
        self._cluster.check()
        self._active = True
        self._cluster.send(Assign(self.number, _absolute(job)))

    def events(self) -> Events:
        """What has arrived.

        Raises:
            AutoqaError: The cluster is lost, or none of its nodes can be used.
        """
        self._cluster.collect()
        self._cluster.check()
        inbox = self._inbox
        messages, inbox.messages = tuple(inbox.messages), []
        return Events(messages, died=inbox.lost is not None)

    def stop(self) -> None:
        """Has the child save what it has done and end."""
        if self._active:
            self._cluster.send(Stop(self.number))

    def stopped(self) -> bool:
        """Whether the child is gone."""
        self._cluster.collect()
        return not self._active or self._inbox.lost is not None or bool(self._cluster.over)

    def ask_to_end(self) -> None:
        """Begins to end the actor."""
        if self._active:
            self._active = False
            self._inbox.ending = True
            self._cluster.send(End(self.number))

    def end(self) -> None:
        """Ends the actor and its child."""
        self.ask_to_end()
        self._cluster.await_ends({self.number})

    def kill(self) -> None:
        """Ends all actors, because this process is about to end."""
        self._cluster.kill()

    def cause_of_death(self) -> str:
        """Node and reason."""
        lost = self._inbox.lost
        return "the worker is not lost" if lost is None else lost.cause

    @property
    def was_killed(self) -> bool:
        """Whether its node is lost, or it was ended there from outside."""
        lost = self._inbox.lost
        return lost is not None and lost.was_killed


class RayPool(WorkerPool):
    """The workers of one search on a cluster.

    Args:
        cluster: The connection.
        settings: What all workers share.
    """

    def __init__(self, cluster: RayCluster, settings: WorkerSettings) -> None:
        self._cluster = cluster
        settings = replace(
            settings, run_folder=settings.run_folder.absolute(), logs=settings.logs.absolute()
        )
        self.workers: tuple[RayWorker, ...] = tuple(
            RayWorker(number, cluster, settings.log_of(number))
            for number in range(settings.plan.count)
        )
        cluster.send(Open(settings))

    def wait(self, numbers: Collection[int], wake: int) -> None:
        """Waits for the pipe, unless something has arrived with what others waited for."""
        inboxes = [self._cluster.inboxes[number] for number in numbers]
        if not self._cluster.over and not any(each.messages or each.lost for each in inboxes):
            wait([self._cluster.pipe, wake], timeout=WAIT_SECONDS)

    def end(self) -> None:
        """Ends all workers at the same time."""
        for worker in self.workers:
            worker.ask_to_end()
        self._cluster.await_ends({worker.number for worker in self.workers})


def _absolute(job: Job) -> Job:
    """The same job for a worker that may have another current folder."""
    values = {each.name: getattr(job, each.name) for each in fields(job)}
    paths: dict[str, Any] = {
        name: value.absolute() for name, value in values.items() if isinstance(value, Path)
    }
    return replace(job, **paths)
