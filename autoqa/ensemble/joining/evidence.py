"""How much speaks for an answer: the best span against the no-answer position.

Models are trained to point at the first token of every window that does not hold the answer. A
window's evidence is its best span's start and end logit, less those of its first token; a
question's is the highest of its windows', because one window that is sure of an answer is enough.
The way of SQuAD 2.0 (Devlin et al., BERT, 2019, section 4.3) sets the lowest no-answer score of all
windows against the best span of all, and loses .001 of F1 where ``bench_reliability.py`` compares.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.span_search import SpanGrid, WindowsLike
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.plan import EnsemblePlan

NOTHING_READ = -1e9
"""Evidence where no window holds a word of the context: there is no answer."""


def window_evidence(
    grid: SpanGrid, start: npt.NDArray[np.floating], end: npt.NDArray[np.floating], rows: int
) -> Doubles:
    """Evidence of an answer to each question by one model or blend, in nats.

    Args:
        grid: The context tokens of all windows.
        start: Start logits of all tokens, ``[T]``.
        end: End logits, ``[T]``.
        rows: Number of questions Q.

    Returns:
        float64 ``[Q]``; :data:`NOTHING_READ` where no window holds a word of the context.

    Raises:
        DataError: The logits were made for other windows.
    """
    evidence = np.full(rows, NOTHING_READ)
    if not len(grid.rows):
        return evidence
    totals = grid.totals(grid.pack(start), grid.pack(end))
    best = np.maximum.reduceat(totals, grid.window_begin)
    none = start[grid.window_first].astype(np.float64) + end[grid.window_first]
    leaders = np.searchsorted(grid.window_begin, grid.begin[:-1])
    evidence[grid.rows] = np.maximum.reduceat(best - none, leaders)
    return evidence


def group_evidence(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: int,
) -> dict[str, Doubles]:
    """Evidence by each group's mean logits, whatever way the ensemble's answers are joined.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        rows: Number of questions Q.

    Returns:
        float64 ``[Q]`` by group.

    Raises:
        DataError: The logits were made for other windows.
    """
    return {
        group: window_evidence(
            SpanGrid(windows[group]),
            *blend([logits[m.id] for m in members], [m.weight for m in members]),
            rows,
        )
        for group, members in plan.groups.items()
    }
