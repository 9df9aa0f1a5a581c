"""Mean logits of models that see the same windows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import LogitPair


def blend(
    logits: Sequence[LogitPair], weights: Sequence[float] | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weighted mean of start and of end logits.

    Args:
        logits: Start and end logits of each model, all of one shape.
        weights: One positive number per model, of any sum; left out, all count the same.

    Returns:
        Start and end logits, float32 ``[T]``. Sums are taken in double precision.

    Raises:
        ValueError: There is no model, a weight is not positive, or shapes or counts differ.
    """
    shares = [1.0] * len(logits) if weights is None else list(weights)
    if not logits or len(shares) != len(logits):
        raise ValueError(
            f"{len(shares)} weights for {len(logits)} models: one for each, at least one"
        )
    if not all(share > 0 for share in shares):
        raise ValueError(f"weights {shares}: each must be above 0")
    shapes = {array.shape for pair in logits for array in pair}
    if len(shapes) != 1:
        raise ValueError(
            f"logits of shapes {sorted(shapes)} cannot be averaged: only models of one group see "
            "the same windows"
        )
    first, second = (
        _mean([pair[side] for pair in logits], shares).astype(np.float32) for side in (0, 1)
    )
    return first, second


def _mean(
    arrays: Sequence[npt.NDArray[np.floating]], shares: Sequence[float]
) -> npt.NDArray[np.float64]:
    total = np.zeros(arrays[0].shape)
    for array, share in zip(arrays, shares, strict=True):
        total += array * np.float64(share / sum(shares))
    return total
