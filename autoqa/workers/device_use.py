"""What a worker's process computes on, looked up while it works."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from autoqa.training.messages import DeviceUse, Emit, Message, Progress

_STATM = Path("/proc/self/statm")
"""Linux: pages of the process, in all and in memory."""


def device_use() -> DeviceUse | None:
    """What this process computes on now.

    Neither imports torch nor opens a GPU: both are for the job to do.

    Returns:
        ``None`` before the job has begun to, and where the kernel does not say.
    """
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_num_threads"):  # another thread imports it
        return None
    if torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        return DeviceUse(f"GPU {_number(torch.cuda.current_device())}", 0, total - free, total)
    if not _STATM.is_file():
        return None
    pages = int(_STATM.read_text().split()[1])
    return DeviceUse("CPU", torch.get_num_threads(), pages * os.sysconf("SC_PAGE_SIZE"))


def _number(visible: int) -> str:
    """The name of a visible GPU on its machine: one of a list that may be a part of all."""
    listed = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return listed[visible] if visible < len(listed) and listed[visible] else str(visible)


def with_device_use(emit: Emit) -> Emit:
    """Adds to each :class:`~autoqa.training.messages.Progress` what is computed on.

    Args:
        emit: Takes the messages.
    """

    def told(message: Message) -> None:
        if isinstance(message, Progress) and message.device is None:
            message = replace(message, device=device_use())
        emit(message)

    return told
