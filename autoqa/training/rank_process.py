"""The process of a rank other than the first: does its share of one run after another.

It knows neither study nor data: all that it trains on comes with each step. It ends with the
process that leads, however that ends.
"""

import os
import signal
import sys
import traceback
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from autoqa.features.cache import machine_cache
from autoqa.modeling.forward import predict
from autoqa.modeling.load import holding, pick_device
from autoqa.parallel import collectives
from autoqa.parallel.collectives import PeerLostError
from autoqa.parallel.failure import kind_of, sentence_of
from autoqa.parallel.parent_end import signal_at_parents_end
from autoqa.parallel.peers import Follower
from autoqa.parallel.rank_orders import (
    Answered,
    Ask,
    Begin,
    Failed,
    Learn,
    Order,
    Ready,
    Reply,
    Rest,
)
from autoqa.parallel.ranks import RankProcesses
from autoqa.training.engine import Engine
from autoqa.training.engine_plan import EnginePlan
from autoqa.training.lower_layers import LowerLayers


class Rank:
    """Carries out orders.

    Args:
        rank: Which one this is.
        size: How many there are.
        pipe: To the process that leads.
    """

    def __init__(self, rank: int, size: int, pipe: "Connection[Reply, Order]") -> None:
        self._rank, self._size, self._pipe = rank, size, pipe
        self._device = pick_device()
        self._stack = ExitStack()
        self._engine: Engine | None = None
        self._lower: LowerLayers | None = None

    def obey(self, order: Order) -> None:
        """Carries out one order."""
        match order:
            case Begin():
                self._begin(order)
            case Learn() if self._engine is not None:
                self._engine.lower = self._lower if order.lower else None
                self._engine.learn(order.windows, order.total)
            case Ask() if self._engine is not None:
                self._ask(order, self._engine)
            case Rest():
                self._rest()
            case _:
                raise ValueError(f"{type(order).__name__} before a run was begun")

    def _begin(self, order: Begin) -> None:
        self._rest()
        assert isinstance(order.plan, EnginePlan)
        # What is averaged along the run is the leader's business.
        rates = order.plan.rates
        rates = replace(rates, method=replace(rates.method, averaging="none"))
        plan = replace(order.plan, rates=rates)
        model = plan.model()
        follower = Follower(self._rank, model.device)
        self._engine = engine = self._stack.enter_context(plan.engine(model, follower))
        like = [(shape, dtype) for _, shape, dtype in order.state]
        tensors = collectives.receive(like, model.device)
        names = [name for name, _, _ in order.state]
        engine.restore(dict(zip(names, tensors, strict=True)), order.facts)
        self._lower = LowerLayers.of(model, plan.protocol, machine_cache())

    def _ask(self, order: Ask, engine: Engine) -> None:
        model = engine.model
        own = model.state()
        asked = [name for name, tensor in own.items() if tensor.is_floating_point()]
        sent = collectives.receive([(own[n].shape, own[n].dtype) for n in asked], model.device)
        with holding(model, own | dict(zip(asked, sent, strict=True))):
            share = (self._rank, self._size)
            logits = predict(model, order.windows, precision=order.precision, share=share)
        self._pipe.send(Answered(*logits))

    def _rest(self) -> None:
        self._stack.close()
        self._engine = self._lower = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def others(size: int) -> RankProcesses | None:
    """The processes of the other devices of a worker that has so many, if it has several."""
    return RankProcesses(size, __name__) if size > 1 else None


def main(descriptor: int, rank: int, size: int, meeting: Path, leader: int) -> None:
    """Carries out orders until the leader is gone.

    Args:
        descriptor: Of the pipe to the leader.
        rank: Which one this is.
        size: How many there are.
        meeting: Where the ranks meet, see :func:`autoqa.parallel.collectives.join`.
        leader: Its process id.
    """
    # Whether to stop is for the leader to decide, which tells nobody and simply ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal_at_parents_end(signal.SIGKILL)
    if os.getppid() != leader:  # it died before the kernel was asked to tell
        return
    pipe: Connection[Reply, Order] = Connection(descriptor)
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(rank)
        pipe.send(Ready())
        collectives.join(meeting, rank, size)
        print(f"device {rank + 1} of {size}: process {os.getpid()}", flush=True)  # noqa: T201 - to the log
        me = Rank(rank, size, pipe)
        while True:
            me.obey(pipe.recv())
    except (EOFError, ConnectionResetError, BrokenPipeError, PeerLostError):
        return  # the leader has ended, or another rank, which says why itself
    except Exception as error:
        trace = traceback.format_exc()
        print(f"device {rank + 1} of {size} failed\n{trace}", flush=True)  # noqa: T201 - to the log
        pipe.send(Failed(sentence_of(error), kind_of(error)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
    # Interpreter and backends would wait for connections to ranks that are gone.
    sys.stdout.flush()
    os._exit(1)
