"""Many ranges of one array as one index."""

import numpy as np
import numpy.typing as npt


def ragged_index(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The members of ranges back to back.

    Args:
        starts: First member of each range, int64 ``[R]``.
        ends: One past the last member, int64 ``[R]``.

    Returns:
        Members, int64 ``[T]``, and where each range begins among them, int64 ``[R + 1]``.
    """
    lengths = ends - starts
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=edges[1:])
    return np.arange(edges[-1]) + np.repeat(starts - edges[:-1], lengths), edges
