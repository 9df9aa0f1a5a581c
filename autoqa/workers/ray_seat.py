"""One worker of a search on a Ray cluster: its actor is placed, checked, heard and ended."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from autoqa.registry.versions import differences
from autoqa.training.jobs import Job
from autoqa.training.messages import Note, Progress, TrialFailed, TrialFinished
from autoqa.workers.base import WorkerSettings
from autoqa.workers.ray_messages import Call, Ended, FromDriver, Heard, Lost, Refused
from autoqa.workers.ray_node import NodeWorker, Report

PLACE_SECONDS = 5.0
"""How often people are told that a worker still waits for a place."""

END_SECONDS = 45.0
"""How long an actor may take to end its child; a lost node is known as such before."""


class _UnusableNodeError(Exception):
    """A node that has other code, or does not see the study's folder."""


class RaySeat:
    """A worker as the cluster sees it.

    Args:
        number: The worker's number.
        settings: What all workers share.
        call: What a node must have.
        tell: Takes what the search is told.
        make_room: Has other seats give up places that they do not need now.
    """

    def __init__(
        self,
        number: int,
        settings: WorkerSettings,
        call: Call,
        tell: Callable[[FromDriver], None],
        make_room: Callable[[], Awaitable[None]],
    ) -> None:
        self._number, self._settings, self._call, self._tell = number, settings, call, tell
        self._make_room = make_room
        self._actor: Any = None
        self._node = "the cluster"
        self._placed = False
        self._known = 0
        self._running: asyncio.Task[None] | None = None
        self._unusable: dict[str, str] = {}

    async def run(self, job: Job) -> None:
        """Runs a job on the actor, and starts one where there is none."""
        self._running = asyncio.current_task()
        try:
            if self._actor is None:
                await self._start(job)
            await _answer(self._actor.assign.remote(job))
            await self._listen()
        except _UnusableNodeError as error:
            self._tell(Refused(str(error)))
        except RayError as error:
            cause, killed = cause_of_loss(error, self._node)
            self._tell(Lost(self._number, cause, killed))
        finally:
            self._running = None

    async def stop(self) -> None:
        """Has the child save what it has done and end; without a place there is nothing to save."""
        if self._placed:
            with contextlib.suppress(RayError):  # whoever listens hears of its loss
                await _answer(self._actor.stop.remote())
            if self._running is not None:
                return
        await self.leave()
        self._tell(Lost(self._number, "the worker was told to stop", was_killed=True))

    @property
    def idle(self) -> bool:
        """Whether it keeps a place without a job."""
        return self._placed and self._running is None

    async def leave(self) -> None:
        """Ends the actor with whatever it does; the next job has a new one placed."""
        if self._running is not None:
            self._running.cancel()
        actor, self._actor = self._actor, None
        placed, self._placed = self._placed, False
        if actor is not None:
            if placed:
                with contextlib.suppress(RayError, TimeoutError):
                    await asyncio.wait_for(_answer(actor.end.remote()), END_SECONDS)
            ray.kill(actor)

    async def end(self) -> None:
        """As :meth:`leave`, and the search is told when it is over."""
        await self.leave()
        self._tell(Ended(self._number))

    async def _start(self, job: Job) -> None:
        """Has an actor placed on a node that can be used, and checked."""
        while not self._placed:
            self._actor = self._ask_for_actor()
            looking = asyncio.ensure_future(_answer(self._actor.look.remote(self._call.marker)))
            await self._until_placed(looking, job)
            found = looking.result()
            self._node = found["name"]
            problem = self._problem(found)
            if problem is None:
                self._placed, self._known = True, 0
                break
            ray.kill(self._actor)
            self._actor = None
            self._unusable[found["id"]] = problem
            if not self._others():
                raise _UnusableNodeError("; ".join(dict.fromkeys(self._unusable.values())))
            self._tell(Heard(self._number, Note(job.trial, f"{problem}; the node is not used")))
        call = self._call
        opened = self._actor.open.remote(self._number, self._settings, call.variables, call.folder)
        await _answer(opened)

    def _ask_for_actor(self) -> Any:
        plan = self._settings.plan
        options: dict[str, Any] = {}
        if self._unusable:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(self._unusable)})"}
        # Whether and where a trial is tried again is the search's business, not Ray's.
        actor = ray.remote(NodeWorker).options(
            num_cpus=plan.threads,
            num_gpus=0 if plan.devices[self._number] is None else 1,
            max_restarts=0,
            max_task_retries=0,
            **options,
        )
        return actor.remote()

    async def _until_placed(self, looking: "asyncio.Future[Any]", job: Job) -> None:
        told = False
        while not (await asyncio.wait({looking}, timeout=PLACE_SECONDS))[0]:
            if not told:
                told = True
                text = f"worker {self._number} waits for the cluster to give it a place"
                self._tell(Heard(self._number, Note(job.trial, text)))
            self._tell(Heard(self._number, Progress(job.trial, "waiting for a place")))
            await self._make_room()

    def _problem(self, found: dict[str, Any]) -> str | None:
        """Why a node cannot be used, as a sentence without a full stop."""
        different = differences(self._node, found["environment"], self._call.environment)
        if different:
            return "; ".join(different)
        if found["content"] != self._call.secret:
            return (
                f"{self._node} does not see this study's folder {self._settings.run_folder}: let "
                "AUTOQA_HOME be a folder that all nodes share, under the same path"
            )
        return None

    def _others(self) -> bool:
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"] and can_hold(node)}
        return bool(alive - self._unusable.keys())

    async def _listen(self) -> None:
        """Hands messages on until the job is over or the child is gone."""
        while True:
            try:
                report: Report = await _answer(self._actor.news.remote(self._known))
            except ActorUnavailableError:
                # The network, or the end of a node, of which Ray knows more some seconds later.
                await asyncio.sleep(1)
                continue
            self._known += len(report.messages)
            for message in report.messages:
                self._tell(Heard(self._number, message))
            if report.cause is not None:
                cause = f"{report.cause} ({self._node})"
                self._tell(Lost(self._number, cause, report.was_killed))
                return
            if any(isinstance(said, TrialFinished | TrialFailed) for said in report.messages):
                return


async def _answer(reference: Any) -> Any:
    # Ray sets the result of what it was asked for even when nobody waits for it any more.
    return await asyncio.shield(asyncio.wrap_future(reference.future()))


def can_hold(node: dict[str, Any]) -> bool:
    """Whether a node of ``ray.nodes()`` has processors for workers."""
    return bool(node["Resources"].get("CPU", 0))


def cause_of_loss(error: RayError, node: str) -> tuple[str, bool]:
    """Why an actor is gone, in words for people, and whether that came from outside.

    Args:
        error: What Ray raised.
        node: Where it was, as people call it.
    """
    text = " ".join(str(error).split())
    if isinstance(error, RayTaskError):
        return f"the actor on {node} failed: {text[-300:]}", False
    if "failed to import" in text:
        missing = re.search(r"ModuleNotFoundError: [^\n]*", text)
        return f"a node cannot import autoqa ({missing[0] if missing else text[-200:]})", False
    if "memory" in text and "low on memory" in text:
        return f"{node} ran out of memory, and Ray ended the worker there", True
    if "node" in text.lower() and ("died" in text and "node has died" in text.lower()):
        return f"{node} was lost", True
    return f"{node} lost the worker's actor: {text[-300:]}", True
