"""What the kernel does for a process whose parent is gone."""

import ctypes
import sys

_PR_SET_PDEATHSIG = 1


def signal_at_parents_end(number: int) -> None:
    """Has the kernel send this process a signal when its parent is gone; only Linux can.

    Args:
        number: The signal.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
