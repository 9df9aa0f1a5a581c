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
        third time. Where the portion says how many have no answer, too many of one kind are left
        out by chance first.

    Raises:
        DataError: No example is in the portion's languages, or none without an answer where the
            portion asks for some.
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
    if portion.unanswerable is not None:
        pool = _mixed(examples, pool, portion.unanswerable, portion.source, rng)
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


def _mixed(
    examples: Sequence[Example],
    pool: npt.NDArray[np.int64],
    unanswerable: float,
    source: str,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """As much of a pool as has this share of questions without an answer, in its order."""
    absent = np.array([not examples[row].answers for row in pool.tolist()])
    kinds = pool[~absent], pool[absent]
    for rows, share, which in zip(kinds, (1 - unanswerable, unanswerable), _KINDS, strict=True):
        if share > 0 and not len(rows):
            raise DataError(
                f"a portion of the source {source} asks for unanswerable = {unanswerable:g}, but "
                f"no question there is {which} an answer: leave the key out."
            )
    sizes = mixed_sizes(len(kinds[0]), len(kinds[1]), unanswerable)
    chosen = [rng.permutation(rows)[:size] for rows, size in zip(kinds, sizes, strict=True)]
    return np.sort(np.concatenate(chosen))


_KINDS = ("with", "without")


def mixed_sizes(answerable: int, unanswerable: int, share: float) -> tuple[int, int]:
    """How many questions of each kind make the largest pool with a share of unanswerable ones.

    Args:
        answerable: How many have an answer.
        unanswerable: How many have none.
        share: Of the latter in the pool, 0 or more and below 1.
    """
    most = round(answerable * share / (1 - share))
    if unanswerable >= most:
        return answerable, most
    return round(unanswerable * (1 - share) / share), unanswerable


def expected_rows(recipe: Recipe, train: Mapping[str, Sequence[Example]]) -> float:
    """How many rows one pass over a recipe draws, about: nobody judges what is similar for it."""
    kinds = {
        name: Counter((example.language, bool(example.answers)) for example in train[name])
        for name in {portion.source for stage in recipe.stages for portion in stage.portions}
    }
    return sum(
        portion.share * portion.similar * _pool_size(portion, kinds[portion.source])
        for stage in recipe.stages
        for portion in stage.portions
    )


def _pool_size(portion: Portion, kinds: Mapping[tuple[str, bool], int]) -> int:
    wanted = {language for language, _ in kinds}
    if portion.languages is not None:
        wanted &= set(portion.languages)
    answerable, unanswerable = (
        sum(count for (language, has), count in kinds.items() if language in wanted and has is kind)
        for kind in (True, False)
    )
    if portion.unanswerable is not None:
        return sum(mixed_sizes(answerable, unanswerable, portion.unanswerable))
    return answerable + unanswerable
