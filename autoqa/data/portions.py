"""From a source's examples to the rows that one appearance in a recipe sees."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

import numpy as np
import numpy.typing as npt

from autoqa.errors import DataError
from autoqa.types import Example, Portion


def draw(
    examples: Sequence[Example], portion: Portion, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draws a portion's examples, in random order.

    Args:
        examples: All training examples of the portion's source.
        portion: Which languages, and how many.
        rng: Where chance comes from; each appearance has its own.

    Returns:
        Rows of ``examples``, int64: ``round(share * n)`` of the n in the portion's languages, at
        least one. A share of 2.5 is every row twice and half of them a third time.

    Raises:
        DataError: No example is in the portion's languages.
    """
    if portion.languages is None:
        pool = np.arange(len(examples))
    else:
        wanted = set(portion.languages)
        spoken = (example.language in wanted for example in examples)
        pool = np.flatnonzero(np.fromiter(spoken, bool, len(examples)))
    if not len(pool):
        have = ", ".join(sorted({example.language for example in examples})) or "nothing"
        raise DataError(
            f"a portion of the source {portion.source} asks for the languages "
            f"{', '.join(portion.languages or ())}, but there is {have} to train on."
        )
    count = max(1, round(portion.share * len(pool)))
    turns = [rng.permutation(pool) for _ in range(-(-count // len(pool)))]
    return np.concatenate(turns)[:count]


def turns(
    examples: Sequence[Example], portion: Portion, epochs: float, seed: Sequence[int]
) -> Iterator[tuple[npt.NDArray[np.int64], np.random.Generator]]:
    """What one portion draws in each pass over it, the same whenever it is asked.

    Args:
        examples: All training examples of the portion's source.
        portion: Which languages, and how many.
        epochs: Passes; the last one may be a part of one.
        seed: Run seed, number of the stage, number of the portion in it.

    Yields:
        Rows of ``examples`` as :func:`draw` gives them, and the pass's generator after that.

    Raises:
        DataError: No example is in the portion's languages.
    """
    for turn in range(ceil(epochs)):
        rng = np.random.default_rng([*seed, turn])
        share = portion.share * min(1.0, epochs - turn)
        yield draw(examples, replace(portion, share=share), rng), rng
