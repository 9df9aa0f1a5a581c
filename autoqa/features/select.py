"""Windows are picked, thinned out and put together."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.errors import ConfigError
from autoqa.features.windows import SoftTargets, Windows, ragged_index
from autoqa.types import Example


def take(windows: Windows, order: npt.ArrayLike) -> Windows:
    """The windows of these rows, in this order; rows may repeat.

    Args:
        windows: What to pick from.
        order: Rows, integers ``[K]``.
    """
    rows = np.asarray(order, dtype=np.int64)
    index, bounds = ragged_index(windows.bounds[:-1][rows], windows.bounds[1:][rows])
    soft = windows.soft
    return Windows(
        input_ids=np.take(windows.input_ids, index),
        type_ids=np.take(windows.type_ids, index),
        offsets=np.take(windows.offsets, index, axis=0),
        starts_word=np.take(windows.starts_word, index),
        bounds=bounds,
        example=windows.example[rows],
        context=windows.context[rows],
        label=windows.label[rows],
        soft=soft and SoftTargets(np.take(soft.log_probability, index, axis=0), soft.weight[rows]),
        unhidden=None if windows.unhidden is None else np.take(windows.unhidden, index),
        max_answer_tokens=windows.max_answer_tokens,
    )


def about(
    windows: Windows, examples: Sequence[Example], documents: Collection[str]
) -> npt.NDArray[np.bool_]:
    """Which windows are of examples about some documents, bool ``[W]``.

    Args:
        windows: Cut from all the examples.
        examples: What ``windows.example`` counts.
        documents: Names of documents.
    """
    wanted = np.fromiter((each.document in documents for each in examples), bool, len(examples))
    return wanted[windows.example]


def kept_rows(
    answerable: npt.NDArray[np.bool_], keep_share: float, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Chooses windows without an answer to be dropped at random.

    Args:
        answerable: Which windows hold the whole answer, bool ``[W]``.
        keep_share: Share of the windows without an answer that is kept, 0 to 1; their number is
            rounded, not drawn.
        rng: Chooses them.

    Returns:
        Rows of the windows that stay, in order, int64 ``[K]``.

    Raises:
        ConfigError: The share lies outside 0 to 1.
    """
    if not 0 <= keep_share <= 1:
        raise ConfigError(f"The share of negatives to keep is {keep_share}; it must be 0 to 1.")
    negative = np.flatnonzero(~answerable)
    count = round(keep_share * len(negative))
    rows = np.arange(len(answerable))
    return rows if count == len(negative) else np.delete(rows, rng.permutation(negative)[count:])


def concatenate(parts: Sequence[Windows], sizes: Sequence[int] | None = None) -> Windows:
    """Windows of several cuts behind one another, with the most that any allows an answer.

    Args:
        parts: At least one.
        sizes: Examples in the list that each part was cut from. If given, rows of ``example``
            count through the lists put behind one another; else they are left as they are.

    Raises:
        ValueError: There is no part, or not one size for each, or one has soft targets.
    """
    if not parts or any(part.soft for part in parts):
        raise ValueError("concatenate needs at least one part, and none with soft targets")
    if sizes is None:
        sizes = [0] * len(parts)
    tokens = np.cumsum([0, *(len(part.input_ids) for part in parts)])
    examples = np.cumsum([0, *sizes])[:-1]
    return Windows(
        input_ids=np.concatenate([part.input_ids for part in parts]),
        type_ids=np.concatenate([part.type_ids for part in parts]),
        offsets=np.concatenate([part.offsets for part in parts]),
        starts_word=np.concatenate([part.starts_word for part in parts]),
        bounds=np.concatenate(
            [np.zeros(1, np.int64)]
            + [part.bounds[1:] + base for part, base in zip(parts, tokens[:-1], strict=True)]
        ),
        example=np.concatenate(
            [part.example + np.int32(base) for part, base in zip(parts, examples, strict=True)]
        ),
        context=np.concatenate([part.context for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        max_answer_tokens=max(part.max_answer_tokens for part in parts),
    )
