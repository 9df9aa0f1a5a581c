"""The best so far, which moves only for a gain that stands out of the noise.

Of many candidates tried on one public part some are good by luck. As in the ladder
mechanism (Blum and Hardt, The Ladder: A Reliable Leaderboard for Machine Learning Competitions,
2015) the best moves only when the paired gain exceeds one standard error.
"""

from dataclasses import dataclass

from autoqa.scores.standard_errors import Spread


@dataclass(frozen=True, slots=True)
class Rung:
    """What one candidate did to the best so far.

    Attributes:
        gain: What it gained on the best before it; ``None`` for the first.
        standard_error: Of the gain, by documents; ``None`` for the first.
        best: Position of the best so far, itself included.
        moved: Whether it became the best.
    """

    gain: float | None
    standard_error: float | None
    best: int
    moved: bool


def ladder_rungs(spread: Spread) -> tuple[Rung, ...]:
    """The ladder of candidates in the order in which they were tried.

    Args:
        spread: Their scores, in that order.

    Returns:
        One rung per candidate.
    """
    rungs: list[Rung] = []
    best = 0
    for number, mean in enumerate(spread.means.tolist()):
        if not rungs:
            rungs.append(Rung(None, None, best, moved=True))
            continue
        gain = mean - float(spread.means[best])
        error = spread.gap_error(number, best)
        moved = gain > error
        best = number if moved else best
        rungs.append(Rung(gain, error, best, moved))
    return tuple(rungs)


def best_so_far(spread: Spread) -> int:
    """Position of the best after the last candidate. See :func:`ladder_rungs`."""
    return ladder_rungs(spread)[-1].best
