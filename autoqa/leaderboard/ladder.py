"""The best so far, which moves only for a gain that stands out of the noise.

Whoever tries many candidates on one public part finds some that are good by luck. As in the ladder
mechanism (Blum and Hardt, The Ladder: A Reliable Leaderboard for Machine Learning Competitions,
2015) the best moves only when the paired gain exceeds one standard error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.leaderboard.bootstrap import ROUNDS, Comparison, paired


@dataclass(frozen=True, slots=True)
class Rung:
    """What one candidate did to the best so far.

    Attributes:
        id: The candidate.
        mean: Its mean score.
        gain: What it gained on the best before it; ``None`` for the first.
        best: The best so far, itself included.
        moved: Whether it became the best.
    """

    id: str
    mean: float
    gain: Comparison | None
    best: str
    moved: bool


def climb(
    candidates: Iterable[tuple[str, npt.ArrayLike]],
    documents: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = 0,
) -> tuple[Rung, ...]:
    """The ladder of candidates in the order in which they were tried.

    Args:
        candidates: Id and scores ``[Q]`` of each, in trial order.
        documents: Document of each question, Q long.
        rounds: Draws of the bootstrap behind each comparison.
        seed: Decides the draws.

    Returns:
        One rung per candidate.
    """
    rungs: list[Rung] = []
    leader: tuple[str, npt.NDArray[np.float64]] | None = None
    for name, given in candidates:
        scores = np.asarray(given, np.float64)
        gain = None
        if leader is not None:
            gain = paired(scores, leader[1], documents, rounds, seed)
        moved = gain is None or gain.gain > gain.standard_error
        if leader is None or moved:
            leader = (name, scores)
        rungs.append(Rung(name, float(scores.mean()), gain, leader[0], moved))
    return tuple(rungs)


def best_so_far(
    candidates: Iterable[tuple[str, npt.ArrayLike]],
    documents: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = 0,
) -> str | None:
    """Id of the best after the last candidate; ``None`` without candidates. See :func:`climb`."""
    rungs = climb(candidates, documents, rounds, seed)
    return rungs[-1].best if rungs else None
