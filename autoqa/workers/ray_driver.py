"""The process that speaks to a Ray cluster, so that the search's own process need not.

Ray handles signals in its way, prints, and ends the process it runs in where the cluster is lost;
a search must survive all of that. It ends with its parent, and what it started ends with it.
"""

import asyncio
import os
import queue
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

import ray

from autoqa.workers.child import log_to
from autoqa.workers.ray_messages import (
    Assign,
    Call,
    Connected,
    End,
    FromDriver,
    Open,
    Refused,
    Stop,
    ToDriver,
)
from autoqa.workers.ray_seat import RaySeat
from autoqa.workers.resources import NodeRoom


def main(pipe: "Connection[FromDriver, ToDriver | None]", call: Call) -> None:
    """Connects, then serves until the pipe closes or says ``None``.

    Args:
        pipe: To and from the search.
        call: Where the cluster is.
    """
    # A session of its own: Ctrl-C and signals to the search's group are the search's business.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one may be waiting from before
    log_to(call.log)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pipe.send(_connect(call))
    except Exception as error:
        print(repr(error), flush=True)  # noqa: T201 - to the log
        pipe.send(Refused(_refusal(call.address, error)))
        return
    asyncio.run(_Driver(pipe, call).serve())
    ray.shutdown()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _connect(call: Call) -> Connected:
    # For a Ray that begins here: workers as nice as 15, its default, starve on a busy machine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    ray.init(
        address=call.address,
        include_dashboard=None if call.address else False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(call.paths)}},
    )
    nodes = [each["Resources"] for each in ray.nodes() if each["Alive"]]
    return Connected(
        tuple(
            NodeRoom(int(has.get("CPU", 0)), int(has.get("GPU", 0)), int(has.get("memory", 0)))
            for has in nodes
        )
    )


def _refusal(address: str | None, error: Exception) -> str:
    """What people are told of a connection that Ray refused."""
    text = " ".join(str(error).split())
    where = "a Ray cluster on this machine" if address is None else f"the Ray cluster at {address}"
    if "Version mismatch" in text:
        reason = text.partition("Version mismatch: ")[2]
        return f"{where} has other versions than this search; both must have the same. {reason}"
    if "auth" in text.lower() and "token" in text.lower():
        return (
            f"{where} does not take this machine's token: copy ~/.ray/auth_token from its head "
            "node, or set RAY_AUTH_TOKEN"
        )
    if "node" in text and ("IP" in text or "raylet" in text):
        return (
            f"{where} does not count this machine among its nodes: run `ray start "
            f"--address={address}` here first, with --num-cpus=0 if it is not to train"
        )
    return f"{where} cannot be used: {text.partition('. ')[0]}"


class _Driver:
    """Seats for the workers, and the pipe."""

    def __init__(self, pipe: "Connection[FromDriver, ToDriver | None]", call: Call) -> None:
        self._pipe, self._call = pipe, call
        self._seats: dict[int, RaySeat] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outbox: queue.SimpleQueue[FromDriver] = queue.SimpleQueue()

    async def serve(self) -> None:
        """Does what is asked for, until nobody asks any more."""
        self._over = asyncio.Event()
        # A search that is busy with something else does not read; the loop must not wait for it.
        threading.Thread(target=self._send, daemon=True).start()
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._read)
        await self._over.wait()

    def _send(self) -> None:
        while True:
            try:
                self._pipe.send(self._outbox.get())
            except OSError:  # nobody listens any more, as the loop learns, too
                return

    def _read(self) -> None:
        try:
            while self._pipe.poll():
                said = self._pipe.recv()
                if said is None:
                    self._over.set()
                    return
                self._do(said)
        except (EOFError, OSError):
            self._over.set()

    def _do(self, said: ToDriver) -> None:
        match said:
            case Open(settings):
                self._seats = {
                    number: RaySeat(number, settings, self._call, self._outbox.put, self._make_room)
                    for number in range(settings.plan.count)
                }
            case Assign(number, job):
                self._start(self._seats[number].run(job))
            case Stop(number):
                self._start(self._seats[number].stop())
            case End(number):
                self._start(self._seats[number].end())

    async def _make_room(self) -> None:
        """Idle workers keep their actors, until one with a job needs the place."""
        for seat in self._seats.values():
            if seat.idle:
                await seat.leave()

    def _start(self, what: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            task.print_stack()
            os._exit(1)  # the search sees the pipe close, and that the log says more
