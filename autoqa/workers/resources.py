"""What the machine has, found without importing torch: GPUs, cores, memory, and a plan for them."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autoqa.errors import AutoqaError, ConfigError

WORKER_BYTES = 2 * 1024**3
"""Memory that one worker is expected to need."""


@dataclass(frozen=True)
class WorkerPlan:
    """How many workers, and what each has.

    Attributes:
        devices: One entry per worker: the value of CUDA_VISIBLE_DEVICES, or ``None`` on CPU.
        threads: Threads of each process of a worker.
        reason: Why so many, for people.
        width: Devices that a worker trains one run on, with a process each.
    """

    devices: tuple[str | None, ...]
    threads: int
    reason: str
    width: int = 1

    @property
    def count(self) -> int:
        """How many workers."""
        return len(self.devices)

    def spelled(self) -> str:
        """Counts and the reason, in words for people."""
        workers = "1 worker" if self.count == 1 else f"{self.count} workers"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        if self.width > 1:
            threads = f"{self.width} devices and {threads} per device"
        return f"{workers} with {threads} each ({self.reason})"


def plan_workers(
    wanted: int | Literal["auto"],
    width: int | Literal["auto"] = 1,
    gpus: list[str] | None = None,
    cores: int | None = None,
    memory: int | None = None,
) -> WorkerPlan:
    """Decides on workers: one per GPU, else one per core, as many as memory holds.

    Args:
        wanted: A number, taken as it is, or ``"auto"``.
        width: Devices of each worker, GPUs or else cores; ``"auto"`` is one until it is known that
            more are better (:mod:`autoqa.planning.width`).
        gpus: Identifiers of the GPUs; looked up if left out.
        cores: Usable cores; looked up if left out.
        memory: Free bytes; looked up if left out.

    Raises:
        ConfigError: A run is to have more GPUs than there are.
    """
    width = 1 if width == "auto" else width
    gpus = find_gpus() if gpus is None else gpus
    cores = len(os.sched_getaffinity(0)) if cores is None else cores
    memory = free_memory() if memory is None else memory
    if gpus and width > len(gpus):
        raise ConfigError(
            f"search.devices_per_run = {width}: there are {len(gpus)} GPUs that may be used; "
            f"set devices_per_run to {len(gpus)} or less"
        )
    room = max(1, memory // (WORKER_BYTES * width))
    each = "" if width == 1 else f"{width} "
    if wanted != "auto":
        count, reason = wanted, "as asked for"
    elif gpus:
        count, reason = len(gpus) // width, f"one per {each}GPU{'s' * (width > 1)}"
    else:
        count, reason = max(1, cores // width), f"one per {each}core{'s' * (width > 1)}"
    if wanted == "auto" and count > room:
        count, reason = room, f"as many as {memory / 1024**3:.0f} GiB of free memory hold"
    devices = tuple(_group(gpus, index, width) for index in range(count))
    return WorkerPlan(devices, max(1, cores // (count * width)), reason, width)


def _group(gpus: list[str], index: int, width: int) -> str | None:
    """The GPUs of a worker, one for each of its devices."""
    if not gpus:
        return None
    return ",".join(gpus[(index * width + number) % len(gpus)] for number in range(width))


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """What a node of a cluster has for workers, busy or not.

    Attributes:
        cpus: Processors.
        gpus: GPUs.
        memory: Bytes.
    """

    cpus: int
    gpus: int
    memory: int

    def holds(self, threads: int, gpus: int) -> int:
        """How many workers of so many threads and GPUs find a place."""
        by_cpu = self.cpus // threads
        return min(by_cpu, self.gpus // gpus) if gpus else by_cpu


def plan_on_nodes(
    wanted: int | Literal["auto"], nodes: Sequence[NodeRoom], width: int | Literal["auto"] = 1
) -> WorkerPlan:
    """Decides on workers of a cluster, each of which has its place on one node.

    Args:
        wanted: A number, taken as it is, or ``"auto"`` for one per GPU, else one per processor, as
            many as memory holds. Those that find no place wait for one.
        nodes: All that the cluster has now.
        width: Devices of each worker, of which there can be one.

    Raises:
        ConfigError: A worker is to have several devices.
        AutoqaError: There is no place now, and no number was stated.
    """
    if width not in (1, "auto"):
        raise ConfigError(
            f"search.devices_per_run = {width}: on Ray each run has one device; leave it out, or "
            "search without --on ray"
        )
    each = 1 if any(node.gpus for node in nodes) else 0
    most = sum(node.holds(1, each) for node in nodes)
    room = sum(min(node.holds(1, each), max(1, node.memory // WORKER_BYTES)) for node in nodes)
    count = room if wanted == "auto" else wanted
    if not count:
        raise AutoqaError(
            f"the Ray cluster has no processor for a worker ({len(nodes)} nodes): add a node with "
            "some, or state --workers to wait for one"
        )
    what = "GPU" if each else "processor"
    reason = f"one per {what} of {len(nodes)} nodes" if room == most else "as many as memory holds"
    if wanted != "auto":
        reason = "as asked for"
        if count > most:
            reason += f"; the cluster has {most} places now, the others wait"
    fair = max([node.cpus for node in nodes], default=1)
    threads = next(
        (t for t in range(fair, 1, -1) if sum(node.holds(t, each) for node in nodes) >= count), 1
    )
    return WorkerPlan(("ray",) * count if each else (None,) * count, threads, reason)


def find_gpus() -> list[str]:
    """Identifiers for CUDA_VISIBLE_DEVICES of the GPUs that a process started here may use."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        gpus = [gpu.strip() for gpu in allowed.split(",") if gpu.strip()]
        # CUDA ignores everything from the first invalid entry on; -1 is how people say "none".
        return gpus[: gpus.index("-1")] if "-1" in gpus else gpus
    devices = [path.name for path in Path("/dev").glob("nvidia*")]
    count = sum(bool(re.fullmatch(r"nvidia\d+", name)) for name in devices)
    return [str(index) for index in range(count or _listed_by_driver())]


def _listed_by_driver() -> int:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        listing = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    if listing.returncode != 0:
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())


def free_memory() -> int:
    """Bytes that new processes may take: what the kernel calls available, or the cgroup's rest."""
    free = _meminfo()
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and used.is_file():
        text = limit.read_text().strip()
        if text.isdigit():
            free = min(free, max(0, int(text) - int(used.read_text())))
    return free


def _meminfo() -> int:
    path = Path("/proc/meminfo")
    if not path.is_file():
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    available = re.search(r"MemAvailable:\s+(\d+) kB", path.read_text())
    return int(available.group(1)) * 1024 if available else WORKER_BYTES
