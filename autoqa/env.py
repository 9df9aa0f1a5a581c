"""Folders and environment variables, read in one place and before any Hugging Face import.

``AUTOQA_HOME`` holds studies' runs (default ``./runs``); ``AUTOQA_CACHE`` holds what can be made
again (default ``~/.cache/autoqa``), of which cached features may take ``AUTOQA_CACHE_GIB`` GiB
(default 20).
"""

import os
from pathlib import Path


def runs_folder() -> Path:
    """The folder that holds one folder per study."""
    return Path(os.environ.get("AUTOQA_HOME", "runs"))


def run_folder(study: str) -> Path:
    """The folder of one study: database, predictions, weights, logs."""
    return runs_folder() / study


def cache_folder() -> Path:
    """The folder of converted weights and cached features."""
    return Path(os.environ.get("AUTOQA_CACHE", Path.home() / ".cache" / "autoqa"))


def cache_gib() -> str:
    """The GiB that cached features may take, as it is written in the environment."""
    return os.environ.get("AUTOQA_CACHE_GIB", "20")


def threads() -> int:
    """How many threads may compute: ``OMP_NUM_THREADS`` as for torch, else one per processor."""
    stated = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if stated.isdecimal() and int(stated):
        return int(stated)
    return len(os.sched_getaffinity(0))


def devices() -> int:
    """How many devices this worker trains each run on."""
    return int(os.environ.get("AUTOQA_DEVICES_PER_RUN", "1"))


def wait_passively() -> None:
    """Lets idle threads sleep; must be called before torch is imported, and a stated policy stays.

    By default OpenMP's threads spin while they wait for each other, and beside anything else that
    computes they spin in the place of the thread that they wait for: on a busy machine of two
    cores a small model answers two to four times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def worker_environment(threads: int, devices: int = 1) -> dict[str, str]:
    """Variables a worker process must have before it imports torch.

    Args:
        threads: Of each of its processes.
        devices: What :func:`devices` tells it.

    Several processes with several spinning threads each run many times slower than one thread
    each, hence the fixed thread count and passive waiting. Packed batches have a new shape at
    nearly every step; oneDNN and its bridge to PyTorch would keep compiled primitives for a
    thousand shapes, which is a gigabyte after some minutes, so both caches hold little more than
    one step needs.
    """
    return {
        "AUTOQA_DEVICES_PER_RUN": str(devices),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "LRU_CACHE_CAPACITY": "64",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    }
