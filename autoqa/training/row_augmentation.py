"""Rows that a portion has drawn, changed by augmentations before anything is cut.

What stays as it is keeps the tokens that the source's rows have in the cache. What is new is
encoded when it comes, ten thousand questions with their contexts in about a second.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoqa.api import Augmentation, TrainingRows
from autoqa.arrays import Indices
from autoqa.data.checks import row_problem
from autoqa.data.study_data import StudyData
from autoqa.errors import ConfigError, PluginError, did_you_mean
from autoqa.types import Example, ProgressCallback


@dataclass(frozen=True, slots=True)
class AugmentedRows:
    """What became of drawn rows.

    Attributes:
        rows: Those that stay as they are, int64 ``[K]``.
        made: New examples.
    """

    rows: Indices
    made: tuple[Example, ...]


def row_changers(augmentations: Sequence[Augmentation]) -> list[Augmentation]:
    """Those that change rows, in their order."""
    return [each for each in augmentations if type(each).rows is not Augmentation.rows]


def augmented_rows(
    changers: Sequence[Augmentation],
    data: StudyData,
    source: str,
    rows: Indices,
    rng: np.random.Generator,
    progress: ProgressCallback,
) -> AugmentedRows:
    """Applies augmentations to drawn rows, one after another.

    Args:
        changers: What changes rows; see :func:`row_changers`.
        data: The training examples.
        source: Where the rows were drawn.
        rows: Rows of the source's examples, int64 ``[N]``; some may repeat.
        rng: Each augmentation gets a generator of its own from it. Numbers that are drawn from it
            later do not depend on what they draw.
        progress: Called where an augmentation takes long.

    Raises:
        PluginError: An augmentation gives something that cannot be trained on.
        ConfigError: It asks for a source that there is none of.
    """
    pool = data.train[source]
    drawn = [pool[row] for row in rows.tolist()]
    most = max(Counter(rows.tolist()).values(), default=0)
    examples = drawn
    for changer, own in zip(changers, rng.spawn(len(changers)), strict=True):
        name = type(changer).__name__
        known = {id(each) for each in examples}
        asked = TrainingRows(examples=tuple(examples), source=_asking(data), progress=progress)
        given = changer.rows(asked, own)
        examples = _checked(given, known, most, source, name)
    row_of = {id(pool[row]): row for row in rows.tolist()}
    return AugmentedRows(
        np.array([row_of[id(each)] for each in examples if id(each) in row_of], np.int64),
        tuple(each for each in examples if id(each) not in row_of),
    )


def _asking(data: StudyData) -> Callable[[str], Sequence[Example]]:
    def source(name: str) -> Sequence[Example]:
        if name not in data.train:
            hint = did_you_mean(name, data.train) or f"; there are: {', '.join(data.train)}"
            raise ConfigError(
                f"an augmentation asks for rows of the source {name!r}, which the recipe does not "
                f"train on{hint}"
            )
        return data.train[name]

    return source


def _checked(given: object, known: set[int], most: int, source: str, name: str) -> list[Example]:
    """What an augmentation gave, with the source's name on what has none.

    Raises:
        PluginError: It cannot be trained on.
    """
    advice = "report it to the plugin's author or take it out of the recipe."
    if not isinstance(given, Sequence):
        raise PluginError(
            f"{name} made {type(given).__name__} of rows of {source}, not a list of examples; "
            f"{advice}"
        )
    examples: list[Example] = []
    for number, each in enumerate(given):
        if id(each) in known:
            examples.append(each)
            continue
        if not isinstance(each, Example):
            raise PluginError(
                f"{name} made {type(each).__name__}, not Example, as number {number} of the rows "
                f"of {source}; {advice}"
            )
        problem = row_problem(each)
        if problem:
            raise PluginError(
                f"{name} made of a row of {source} one that cannot be trained on, id {each.id!r}: "
                f"{problem.rstrip('.')}; {advice}"
            )
        examples.append(each if each.source else replace(each, source=source))
    for example, times in Counter(examples).items():
        if times > most:
            raise PluginError(
                f"{name} gives the row {example.id!r} of {source} {times} times, though no row was "
                f"drawn more than {most} times; {advice}"
            )
    return examples
