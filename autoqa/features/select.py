"""Windows are picked, thinned out and put together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.errors import ConfigError
from autoqa.features.ragged import ragged_index
from autoqa.features.windows import Windows


def take(windows: Windows, order: npt.ArrayLike) -> Windows:
    """The windows of these rows, in this order; rows may repeat.

    Args:
        windows: What to pick from.
        order: Rows, integers ``[K]``.
    """
    rows = np.asarray(order, dtype=np.int64)
    index, bounds = ragged_index(windows.bounds[:-1][rows], windows.bounds[1:][rows])
    return Windows(
        input_ids=windows.input_ids[index],
        type_ids=windows.type_ids[index],
        offsets=windows.offsets[index],
        bounds=bounds,
        example=windows.example[rows],
        context=windows.context[rows],
        label=windows.label[rows],
    )


def drop_negatives(windows: Windows, keep_share: float, rng: np.random.Generator) -> Windows:
    """Drops windows without an answer at random; the rest stays in order.

    Args:
        windows: What to thin out.
        keep_share: Share of the windows without an answer that is kept, 0 to 1; their number is
            rounded, not drawn.
        rng: Chooses them.

    Raises:
        ConfigError: The share lies outside 0 to 1.
    """
    if not 0 <= keep_share <= 1:
        raise ConfigError(f"The share of negatives to keep is {keep_share}; it must be 0 to 1.")
    negative = np.flatnonzero(~windows.answerable)
    kept = round(keep_share * len(negative))
    if kept == len(negative):
        return windows
    dropped = rng.permutation(negative)[kept:]
    return take(windows, np.delete(np.arange(len(windows)), dropped))


def concatenate(parts: Sequence[Windows], sizes: Sequence[int] | None = None) -> Windows:
    """Windows of several cuts behind one another.

    Args:
        parts: At least one.
        sizes: Examples in the list that each part was cut from. If given, rows of ``example``
            count through the lists put behind one another; else they are left as they are.

    Raises:
        ValueError: There is no part, or not one size for each.
    """
    if not parts:
        raise ValueError("concatenate needs at least one part")
    if sizes is None:
        sizes = [0] * len(parts)
    tokens = np.cumsum([0, *(len(part.input_ids) for part in parts)])
    examples = np.cumsum([0, *sizes])[:-1]
    return Windows(
        input_ids=np.concatenate([part.input_ids for part in parts]),
        type_ids=np.concatenate([part.type_ids for part in parts]),
        offsets=np.concatenate([part.offsets for part in parts]),
        bounds=np.concatenate(
            [np.zeros(1, np.int64)]
            + [part.bounds[1:] + base for part, base in zip(parts, tokens[:-1], strict=True)]
        ),
        example=np.concatenate(
            [part.example + np.int32(base) for part, base in zip(parts, examples, strict=True)]
        ),
        context=np.concatenate([part.context for part in parts]),
        label=np.concatenate([part.label for part in parts]),
    )
