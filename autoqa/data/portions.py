"""From a source's examples to those that one appearance in a recipe sees."""

from collections.abc import Sequence

import numpy as np

from autoqa.errors import DataError
from autoqa.types import Example, Portion


def draw(examples: Sequence[Example], portion: Portion, rng: np.random.Generator) -> list[Example]:
    """Draws a portion's examples, in random order.

    Args:
        examples: All training examples of the portion's source.
        portion: Which languages, and how many.
        rng: Where chance comes from; each appearance has its own.

    Returns:
        ``round(share * n)`` of the n examples in the portion's languages, at least one. A share
        of 2.5 is every example twice and half of them a third time.

    Raises:
        DataError: No example is in the portion's languages.
    """
    if portion.languages is None:
        pool = list(examples)
    else:
        wanted = set(portion.languages)
        pool = [example for example in examples if example.language in wanted]
    if not pool:
        have = ", ".join(sorted({example.language for example in examples})) or "nothing"
        raise DataError(
            f"a portion of the source {portion.source} asks for the languages "
            f"{', '.join(portion.languages or ())}, but there is {have} to train on."
        )
    count = max(1, round(portion.share * len(pool)))
    order: list[int] = []
    while len(order) < count:
        order.extend(rng.permutation(len(pool))[: count - len(order)].tolist())
    return [pool[index] for index in order]
