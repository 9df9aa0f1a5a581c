"""The spans that some candidate of a group ranks high, scored by all of them.

Selection tries up to a hundred thousand blends. Decoding each from full logits would take hours,
so every candidate's best twenty spans of a question are put on one list, and the logits of all
candidates are read off there once: a blend is then a weighted sum over the list. A span that no
candidate has among its twenty best could still win a blend, very rarely; whatever is reported at
the end is decoded from full logits. Spans that another span beats for every candidate cannot win
any blend and are dropped.
"""

from collections.abc import Sequence

import numpy as np

from autoqa.arrays import Floats, Indices, LogitPair
from autoqa.decoding.span_search import SpanGrid, WindowsLike
from autoqa.ensemble.evaluation.blend_winners import Blends, unbeaten
from autoqa.ensemble.evaluation.word_sets import Vocabulary
from autoqa.ensemble.joining.evidence import window_evidence
from autoqa.errors import DataError
from autoqa.text.whitespace import Texts

_TOP = 20
_DECIDED = 1e6
"""Nats that decide whatever a blend's other members say."""

_NOTHING = -1e30
"""Score of the empty answer, below that of any span."""


def shortlist(
    candidates: Sequence[tuple[str, LogitPair]],
    windows: WindowsLike,
    contexts: Sequence[str],
    vocabulary: Vocabulary,
    cuts: Sequence[float] | None = None,
) -> tuple[list[int], Blends]:
    """Reads one group's logits off at the spans that matter.

    Args:
        candidates: Id and logits of each candidate.
        windows: The group's windows.
        contexts: Context of each question.
        vocabulary: Takes up the words of all spans.
        cuts: The evidence below which each candidate alone gives no answer. "None" then competes:
            its score is that of the best span, raised by what the evidence lacks of the cut, so
            that it wins exactly there, and blends add up. Left out, it never wins.

    Returns:
        The words of each span, and what finds winners among the spans. Each question's spans stand
        together in the order of the context, an empty answer last.

    Raises:
        DataError: Logits are not numbers, or were made for other windows; names the candidate.
    """
    grid = SpanGrid(windows)
    packed = [_packed(grid, name, logits) for name, logits in candidates]
    first, last = _leading(grid, packed)
    owners = grid.owners
    low, high = Texts(contexts).inward(owners, *grid.offsets.T)
    example, low, high = owners[first], low[first], high[last]
    solid = np.flatnonzero(low < high)
    sums = np.stack([start[first[solid]] + end[last[solid]] for start, end in packed])
    chosen = unbeaten(sums, example[solid])
    sums, places = sums[:, chosen], solid[chosen]
    example, low, high = example[places], low[places], high[places]
    masks = _masks(example, low, high, contexts, vocabulary)
    masks += [vocabulary.mask(row, "") for row in range(len(contexts))]
    nothing = np.full((len(packed), len(contexts)), _NOTHING)
    if cuts is not None:
        np.maximum.at(nothing.T, example, sums.T)
        for row, (_, logits) in enumerate(candidates):
            lacking = cuts[row] - window_evidence(grid, *logits, len(contexts))
            # A cut is infinite where a candidate should say none always, or never.
            nothing[row] += np.clip(lacking, -_DECIDED, _DECIDED)
    example = np.append(example, np.arange(len(contexts)))
    order = np.argsort(example, kind="stable")
    blends = Blends(np.concatenate((sums, nothing), axis=1)[:, order], example[order])
    return [masks[i] for i in order.tolist()], blends


def _packed(grid: SpanGrid, name: str, logits: LogitPair) -> tuple[Floats, Floats]:
    try:
        packed = grid.pack(logits[0]), grid.pack(logits[1])
        for side, given in zip(packed, logits, strict=True):
            if not np.isfinite(given).all():  # quick; where it fails, the thorough check decides
                grid.log_partition(side)
    except DataError as error:
        raise DataError(f"candidate {name}: {error}") from error
    return packed


def _leading(grid: SpanGrid, packed: Sequence[tuple[Floats, Floats]]) -> tuple[Indices, Indices]:
    """First and last cells of all spans that are among the best of any candidate."""
    keys = []
    for start, end in packed:
        spans = grid.top(start, end, _TOP)
        keys.append(spans.first * grid.reach + (spans.last - spans.first))
    first, reach = np.divmod(np.unique(np.concatenate(keys)), grid.reach)
    return first, first + reach


def _masks(
    example: Indices,
    low: Indices,
    high: Indices,
    contexts: Sequence[str],
    vocabulary: Vocabulary,
) -> list[int]:
    known: dict[tuple[int, int, int], int] = {}
    masks = []
    for place in zip(example.tolist(), low.tolist(), high.tolist(), strict=True):
        mask = known.get(place)
        if mask is None:
            row, start, end = place
            mask = known[place] = vocabulary.mask(row, contexts[row][start:end])
        masks.append(mask)
    return masks
