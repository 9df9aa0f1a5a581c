"""The kinds of workers, by name."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from autoqa.errors import ConfigError, did_you_mean
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.local_process import LocalProcessPool
from autoqa.workers.ray_cluster import RayCluster
from autoqa.workers.ray_pool import RayPool
from autoqa.workers.resources import WorkerPlan, plan_on_nodes, plan_workers

LOCAL_PROCESS = "local-process"
RAY = "ray"

WORKER_KINDS: dict[str, Callable[[WorkerSettings], WorkerPool]] = {
    LOCAL_PROCESS: LocalProcessPool,
}
"""Name of a kind on this machine to what makes its pool."""


@dataclass(frozen=True)
class Workers:
    """A kind of worker that is ready to be used.

    Attributes:
        plan: Decides how many, and how many devices each has, from numbers or ``"auto"``.
        pool: Makes the workers of one search.
        here: Whether they run on this machine.
    """

    plan: Callable[[int | Literal["auto"], int | Literal["auto"]], WorkerPlan]
    pool: Callable[[WorkerSettings], WorkerPool]
    here: bool


@contextmanager
def _on_ray(address: str | None, folder: Path) -> Iterator[Workers]:
    cluster = RayCluster(address, folder)
    try:
        yield Workers(
            lambda wanted, width: plan_on_nodes(wanted, cluster.nodes, width),
            partial(RayPool, cluster),
            here=False,
        )
    finally:
        cluster.close()


CLUSTER_KINDS: dict[str, Callable[[str | None, Path], AbstractContextManager[Workers]]] = {
    RAY: _on_ray,
}
"""Name of a kind on other machines to what connects to them, by address and the study's folder."""


@contextmanager
def open_workers(kind: str, folder: Path, address: str | None = None) -> Iterator[Workers]:
    """Connects to where the workers will be, and ends the connection afterwards.

    Args:
        kind: A name in :data:`WORKER_KINDS` or :data:`CLUSTER_KINDS`.
        folder: The study's folder; it exists.
        address: Of the cluster, as its kind takes it.

    Raises:
        ConfigError: There is no such kind, or the address is none.
        MissingAssetError: A package that the kind needs is not installed.
        AutoqaError: The cluster cannot be used.
    """
    if kind in CLUSTER_KINDS:
        with CLUSTER_KINDS[kind](address, folder) as workers:
            yield workers
    else:
        _check(kind)
        yield Workers(plan_workers, partial(make_pool, kind), here=True)


def make_pool(kind: str, settings: WorkerSettings) -> WorkerPool:
    """Makes workers on this machine; none of them runs yet.

    Raises:
        ConfigError: There is no such kind.
    """
    _check(kind)
    return WORKER_KINDS[kind](settings)


def _check(kind: str) -> None:
    if kind not in WORKER_KINDS:
        known = sorted({*WORKER_KINDS, *CLUSTER_KINDS})
        hint = did_you_mean(kind, known) or f"; there is {', '.join(known)}"
        raise ConfigError(f"workers: {kind!r} is no kind of worker{hint}")
