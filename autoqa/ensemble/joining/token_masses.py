"""Distributions over a context's characters, laid over the tokens of any tokenizer's windows."""

from collections.abc import Sequence

import numpy as np

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.joining.characters import (
    CharacterMass,
    GroupLogits,
    character_distributions,
    context_begins,
)
from autoqa.features.windows import Windows, ragged_index


def token_masses(
    groups: Sequence[GroupLogits], windows: Windows, contexts: Sequence[str]
) -> Doubles:
    """What models say of windows that are not theirs, perhaps of another tokenizer.

    The models' probabilities meet at characters (:mod:`autoqa.ensemble.joining.characters`). A
    start counts for the first of a window's tokens that ends behind it, an end for the last that
    begins before it: as labels are given. What lies outside a window counts for its first token,
    which stands for "no answer here"; so the mass of every window is 1.

    Args:
        groups: The models; ``example`` of their windows is a row of ``contexts``.
        windows: Where the mass goes; their ``example``, too.
        contexts: Texts of the windows.

    Returns:
        Probability of a start and of an end at each token, float64 ``[T, 2]``.

    Raises:
        ValueError: Seats are not positive, or not one for each model.
        DataError: Logits are not numbers, or were made for other windows.
    """
    starts, ends = character_distributions(groups, contexts, reach=1)
    first = windows.bounds[:-1]
    index, edges = ragged_index(first + windows.context[:, 0], first + windows.context[:, 1])
    window = np.repeat(np.arange(len(windows)), np.diff(edges))
    low, high = _ordered(
        np.take(windows.offsets, index, axis=0).astype(np.int64)
        + context_begins(contexts)[windows.example][window, None],
        edges,
    )
    masses = np.zeros((len(windows.input_ids), 2))
    # A start belongs to a token from the end of the one before on, an end until the next begins.
    leads, ends_window = edges[:-1][edges[:-1] < edges[1:]], edges[1:][edges[:-1] < edges[1:]] - 1
    from_, until = np.roll(high, 1), np.roll(low, -1)
    from_[leads], until[ends_window] = low[leads], high[ends_window]
    masses[index, 0] = _below(starts, high) - _below(starts, from_)
    masses[index, 1] = _below(ends, until + 1) - _below(ends, low + 1)
    np.maximum(masses, 0.0, out=masses)
    inside = np.add.reduceat(np.append(masses, np.zeros((1, 2)), 0), first, axis=0)
    masses[first] = np.maximum(1 - inside[: len(first)], 0.0)
    return masses


def _ordered(offsets: Indices, edges: Indices) -> tuple[Indices, Indices]:
    """Begins and ends of tokens that never fall inside a window, as labels are looked up."""
    low, high = offsets[:, 0].copy(), offsets[:, 1].copy()
    span = 1 + int(offsets.max(initial=0))
    base = np.repeat(np.arange(len(edges) - 1) * span, np.diff(edges))
    low = np.minimum.accumulate((low + base)[::-1])[::-1] - base
    return low, np.maximum.accumulate(high + base) - base


def _below(mass: CharacterMass, place: Indices) -> Doubles:
    """Mass at places before each of the given ones."""
    total = np.concatenate([np.zeros(1), np.cumsum(mass.value)])
    below: Doubles = total[np.searchsorted(mass.place, place, side="left")]
    return below
