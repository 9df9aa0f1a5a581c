"""From a source's examples to the rows that one appearance in a recipe sees."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil

import numpy as np
import numpy.typing as npt

from autoqa.data.similarity import Likeness
from autoqa.data.study_data import StudyData
from autoqa.errors import DataError
from autoqa.recipes import Portion, Recipe
from autoqa.types import Example


def draw(
    examples: Sequence[Example],
    portion: Portion,
    rng: np.random.Generator,
    likeness: Likeness | None = None,
) -> npt.NDArray[np.int64]:
    """Draws a portion's examples, in random order.

    Args:
        examples: All training examples of the portion's source.
        portion: Which languages, and how many.
        rng: Where chance comes from; each appearance has its own.
        likeness: How much each example looks like the target's; needed where the portion draws
            from the most similar ones.

    Returns:
        Rows of ``examples``, int64: ``round(share * n)`` of the n in the portion's languages that
        are similar enough, at least one. A share of 2.5 is every row twice and half of them a
        third time.

    Raises:
        DataError: No example is in the portion's languages.
        ValueError: The portion asks for similar examples, and no likeness was given.
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
    if portion.similar < 1:
        if likeness is None:
            raise ValueError(f"{portion.source}: similar examples without a likeness")
        pool = likeness.top(portion.similar, pool)
    count = max(1, round(portion.share * len(pool)))
    turns = [rng.permutation(pool) for _ in range(-(-count // len(pool)))]
    return np.concatenate(turns)[:count]


def turns(
    data: StudyData, portion: Portion, epochs: float, seed: Sequence[int]
) -> Iterator[tuple[npt.NDArray[np.int64], np.random.Generator]]:
    """What one portion draws in each pass over it, the same whenever it is asked.

    Args:
        data: The study's training examples.
        portion: Of which source, in which languages, and how many.
        epochs: Passes; the last one may be a part of one.
        seed: Run seed, number of the stage, number of the portion in it.

    Yields:
        Rows of the source's examples as :func:`draw` gives them, and the pass's generator after.

    Raises:
        DataError: No example is in the portion's languages.
    """
    examples = data.train[portion.source]
    likeness = data.likeness(portion.source) if portion.similar < 1 else None
    for turn in range(ceil(epochs)):
        rng = np.random.default_rng([*seed, turn])
        share = portion.share * min(1.0, epochs - turn)
        yield draw(examples, replace(portion, share=share), rng, likeness), rng


def expected_rows(recipe: Recipe, train: Mapping[str, Sequence[Example]]) -> float:
    """How many rows one pass over a recipe draws, about: nobody judges what is similar for it."""
    languages = {
        name: Counter(example.language for example in train[name])
        for name in {portion.source for stage in recipe.stages for portion in stage.portions}
    }
    return sum(
        portion.share * portion.similar * _spoken(portion, languages[portion.source])
        for stage in recipe.stages
        for portion in stage.portions
    )


def _spoken(portion: Portion, languages: Mapping[str, int]) -> int:
    wanted = languages if portion.languages is None else portion.languages
    return sum(languages.get(language, 0) for language in wanted)
