"""The kinds of workers, by name."""

from collections.abc import Callable

from autoqa.errors import ConfigError, did_you_mean
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.local_process import LocalProcessPool

LOCAL_PROCESS = "local-process"

WORKER_KINDS: dict[str, Callable[[WorkerSettings], WorkerPool]] = {
    LOCAL_PROCESS: LocalProcessPool,
}
"""Name of a kind to what makes its pool."""


def make_pool(kind: str, settings: WorkerSettings) -> WorkerPool:
    """Makes the workers of one search; none of them runs yet.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind not in WORKER_KINDS:
        hint = did_you_mean(kind, WORKER_KINDS) or f"; there is {', '.join(sorted(WORKER_KINDS))}"
        raise ConfigError(f"workers: {kind!r} is no kind of worker{hint}")
    return WORKER_KINDS[kind](settings)
