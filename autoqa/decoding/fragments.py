"""How likely given fragments of a context are as answers, from start and end logits."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.decoding.span_search import SpanGrid, WindowsLike

Fragments = Sequence[tuple[int, int]]
"""First and one-past-last characters in one context."""


def log_probabilities(
    start: npt.NDArray[np.floating],
    end: npt.NDArray[np.floating],
    windows: WindowsLike,
    fragments: Sequence[Fragments],
) -> list[Doubles]:
    """``log P(start) + log P(end)`` of fragments.

    The softmax is that of :mod:`autoqa.decoding.decoder`. A fragment that several
    windows hold gets the highest value among them.

    Args:
        start: Start logits ``[T]``.
        end: End logits ``[T]``.
        windows: Windows of all examples.
        fragments: For each example, what is asked about.

    Returns:
        One array per example, as long as its fragments; minus infinity for what no window holds
        whole.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    grid = SpanGrid(windows, reach=1)
    scale = np.full(len(fragments), np.inf)
    scale[grid.rows] = grid.log_partition(grid.pack(start)) + grid.log_partition(grid.pack(end))
    values = [np.full(len(spans), -np.inf) for spans in fragments]
    edges = windows.bounds[:-1, None] + windows.context
    for row, (low, high) in zip(windows.example.tolist(), edges.tolist(), strict=True):
        first, last = windows.offsets[low:high].T
        for number, (begin, finish) in enumerate(fragments[row]):
            # Tokens that have characters in common with the fragment.
            left = int(np.searchsorted(last, begin, side="right"))
            right = int(np.searchsorted(first, finish, side="left")) - 1
            reaches = left > 0 or (len(first) and first[0] <= begin)
            whole = reaches and (right < len(last) - 1 or last[-1] >= finish)
            if left <= right and whole:
                total = float(start[low + left]) + float(end[low + right]) - scale[row]
                values[row][number] = max(values[row][number], total)
    return values
