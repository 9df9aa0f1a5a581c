"""What the processes of one run exchange: sums of gradients and of losses, and copies of weights.

Each process of a run has a device of its own and the same model; they are called ranks, and rank 0
leads. All of them must call these functions in the same order.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import nn

from autoqa.errors import AutoqaError

TIMEOUT = timedelta(minutes=10)
"""The longest that ranks wait for each other. They do in the middle of a step only, all of them at
the same work; what takes longer is a rank that stands still."""

BUCKET = 16 * 1024**2
"""Most gradients, by numbers, that are summed at a time: as few calls as memory allows."""


class PeerLostError(AutoqaError):
    """Another rank of the run does not answer any more."""


def join(meeting: Path, rank: int, size: int) -> None:
    """Meets the other ranks; returns when all are there.

    Args:
        meeting: A file that none of them has used before, the same for all.
        rank: Which one this is.
        size: How many there are.

    Raises:
        PeerLostError: One of them does not come.
    """
    if Path("/sys/class/net/lo").exists():  # all on this machine, whatever its name resolves to
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with _reaching_others():
        dist.init_process_group(
            "nccl" if torch.cuda.is_available() else "gloo",
            init_method=f"file://{meeting}",
            rank=rank,
            world_size=size,
            timeout=TIMEOUT,
        )


def leave() -> None:
    """Gives up the connections to the other ranks."""
    if dist.is_initialized():
        dist.destroy_process_group()


def dealt(lengths: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    """Deals windows out, so that all ranks have about as many tokens.

    The longest is dealt first, each to the rank that has the least; the same windows are always
    dealt alike.

    Args:
        lengths: Tokens of each window.
        size: Ranks.

    Returns:
        The rows of each rank, ascending; none where there are fewer windows than ranks.
    """
    rows: list[list[int]] = [[] for _ in range(size)]
    loads = [(0, rank) for rank in range(size)]
    for row in np.argsort(-lengths, kind="stable").tolist():
        load, rank = loads[0]
        rows[rank].append(row)
        heapq.heapreplace(loads, (load + int(lengths[row]), rank))
    return [np.array(sorted(each), np.int64) for each in rows]


def summed(numbers: Sequence[float], device: torch.device) -> list[float]:
    """The sum over all ranks of each number, in double precision."""
    sums = torch.tensor(numbers, dtype=torch.float64, device=device)
    with _reaching_others():
        dist.all_reduce(sums)
    values: list[float] = sums.tolist()
    return values


def sum_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Gives all ranks the sum of their gradients.

    A rank without windows has no gradients and adds nothing. Where no rank has one for a parameter,
    as for a layer that the loss does not reach, there is none afterwards, so that the optimizer
    leaves the parameter alone as it does in one process.

    Args:
        parameters: Those that are trained, at least one, in the same order on all ranks.
    """
    here = [float(each.grad is not None) for each in parameters]
    anywhere = summed(here, parameters[0].device)
    used = [each for each, ranks in zip(parameters, anywhere, strict=True) if ranks]
    for each in used:
        if each.grad is None:
            each.grad = torch.zeros_like(each)
    for bucket in _buckets([each.grad for each in used if each.grad is not None]):
        flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
        with _reaching_others():
            dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in bucket])
        for gradient, part in zip(bucket, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def _buckets(gradients: Iterable[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    bucket: list[torch.Tensor] = []
    numbers = 0
    for gradient in gradients:
        if bucket and (numbers + gradient.numel() > BUCKET or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, numbers = [], 0
        bucket.append(gradient)
        numbers += gradient.numel()
    if bucket:
        yield bucket


def send(tensors: Iterable[torch.Tensor], device: torch.device) -> None:
    """Copies rank 0's tensors to all others, which :func:`receive` them."""
    for tensor in tensors:
        with _reaching_others():
            dist.broadcast(tensor.detach().to(device).contiguous(), 0)


def receive(
    like: Iterable[tuple[torch.Size, torch.dtype]], device: torch.device
) -> list[torch.Tensor]:
    """What rank 0 sends.

    Args:
        like: Shape and type of each tensor.
        device: Where to put them.
    """
    tensors = [torch.empty(shape, dtype=dtype, device=device) for shape, dtype in like]
    for tensor in tensors:
        with _reaching_others():
            dist.broadcast(tensor, 0)
    return tensors


@contextmanager
def _reaching_others() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:  # each backend has errors of its own
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise PeerLostError(f"another process of this run does not answer: {error}") from error
