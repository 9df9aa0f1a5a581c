"""Rows with several right answers: what the windows of such rows are labelled with.

A window that holds one right answer and not another is never labelled as if it held none, which is
what copies of the row with one answer each would have it learn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from autoqa.arrays import Indices
from autoqa.data.references import different
from autoqa.features.cut import Cuts, gather
from autoqa.features.encode import Encoded
from autoqa.features.select import kept_rows
from autoqa.features.windows import Windows, ragged_index
from autoqa.types import Example

Several = Literal["each", "draw"]
"""Every different answer that a window holds is a label of its own, or one of them is drawn."""


@dataclass(frozen=True, slots=True)
class References:
    """All different answers of the rows that have several, M in all.

    Attributes:
        row: Row of each answer's example, ascending, int64 ``[M]``.
        span: First and one-past-last token, counted inside the context, int64 ``[M, 2]``.
    """

    row: Indices
    span: Indices

    @classmethod
    def of(cls, rows: Sequence[int], encoded: Encoded) -> "References":
        """Answers that were encoded one by one.

        Args:
            rows: Row of each answer's example, ascending; see :func:`single_answers`.
            encoded: The examples that :func:`single_answers` gives.
        """
        keys = np.column_stack([np.array(rows, np.int64), encoded.answer]).reshape(-1, 3)
        held = keys[keys[:, 1] < keys[:, 2]]
        # Answers that differ in half a token have the same label.
        first = np.sort(np.unique(held, axis=0, return_index=True)[1])
        return cls(held[first, 0], held[first, 1:])


@dataclass(frozen=True, slots=True)
class Labelling:
    """What rows with several answers teach.

    Attributes:
        choice: What a window with several answers becomes.
        references: Name of a source to the answers of its rows that have several.
    """

    choice: Several
    references: Callable[[str], References]


def single_answers(examples: Sequence[Example]) -> tuple[list[int], list[Example]]:
    """Examples with several different answers, once with each of them; and the rows they are."""
    rows, single = [], []
    for row, example in enumerate(examples):
        answers = different(example)
        if len(answers) > 1:
            rows += [row] * len(answers)
            single += [replace(example, answers=(answer,)) for answer in answers]
    return rows, single


def labelled(
    examples: Encoded,
    cuts: Cuts,
    rows: Indices,
    references: References,
    choice: Several,
    *,
    negatives: float,
    seed: Sequence[int],
    rng: np.random.Generator,
) -> tuple[Windows, Indices]:
    """Windows with the labels that they get where rows have several answers.

    Args:
        examples: What was cut.
        cuts: Its windows, W of them.
        rows: Row of each of ``examples`` in what ``references`` count, int64 ``[N]``.
        references: The answers.
        choice: What a window with several answers becomes.
        negatives: Share of the windows without any answer that is kept.
        seed: Draws the answers, the same whenever a row comes.
        rng: Draws the windows that are left out.

    Returns:
        The windows, in the order of ``cuts``, and the place in ``examples`` of each one's example.
        With ``each`` one with k answers comes k times.
    """
    window, answer, answerable = _labels(examples, cuts, rows, references, choice, seed)
    whole = np.zeros(len(cuts.example), bool)
    whole[window[answerable]] = True
    kept = np.zeros(len(whole), bool)
    kept[kept_rows(whole, negatives, rng)] = True
    chosen = np.flatnonzero(kept[window])
    window, answer = window[chosen], answer[chosen]
    place = cuts.example[window]
    taken = replace(examples.take(place), answer=answer)
    one_each = replace(
        cuts.take(window), example=np.arange(len(window)), answerable=answerable[chosen]
    )
    return gather(taken, one_each), place


def _labels(
    examples: Encoded,
    cuts: Cuts,
    rows: Indices,
    references: References,
    choice: Several,
    seed: Sequence[int],
) -> tuple[Indices, Indices, np.ndarray]:
    """Window, answer and whether there is one, for each label, ordered by window."""
    row = rows[cuts.example]
    begin, end = (np.searchsorted(references.row, row, side=side) for side in ("left", "right"))
    index, edges = ragged_index(begin, end)
    pair = np.repeat(np.arange(len(row)), np.diff(edges))
    inside = (cuts.first[pair] <= references.span[index, 0]) & (
        references.span[index, 1] <= cuts.last[pair]
    )
    pair, index = pair[inside], index[inside]
    if choice == "draw":
        rank = np.random.default_rng([*seed]).random(len(references.row))
        order = np.lexsort((rank[index], pair))
        order = order[np.diff(pair[order], prepend=-1) > 0]
        pair, index = pair[order], index[order]
    several, found = begin < end, np.zeros(len(row), bool)
    found[pair] = True
    others = np.flatnonzero(~several | ~found)
    window = np.concatenate([pair, others])
    answer = np.concatenate([references.span[index], examples.answer[cuts.example[others]]])
    has = np.concatenate([np.ones(len(pair), bool), (cuts.answerable & ~several)[others]])
    order = np.argsort(window, kind="stable")
    return window[order], answer[order], has[order]
