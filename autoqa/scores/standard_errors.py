"""Standard errors of many candidates' means and of their differences, without drawing.

For a mean over clusters of unequal size the deviations of the clusters' sums from what the mean
would make of them say all about its sampling error (linearisation of a ratio of sums; Cochran,
Sampling Techniques, 3rd ed. 1977, section 9.5 and formula 6.13). The bootstrap of
:mod:`autoqa.scores.bootstrap` has the same standard errors, at two thousand times the work.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

UNKNOWN = 1.0
"""Standard error where one document says nothing of others: the range of the scores."""


class Spread:
    """Means of some candidates on the same questions, and how they deviate by document.

    Args:
        scores: One row per candidate, ``[C, Q]``.
        documents: Document of each question, Q long.

    Attributes:
        means: Mean score of each candidate, ``[C]``.
        document_count: How many documents there are.
        deviations: What each document adds to the sampling error of each mean, ``[C, D]``: the
            squares of a row add up to the variance of its mean.

    Raises:
        ValueError: There is no question, or not one document each.
    """

    def __init__(self, scores: npt.ArrayLike, documents: Sequence[str]) -> None:
        values = np.atleast_2d(np.asarray(scores, dtype=np.float64))
        questions = values.shape[1]
        if not questions or questions != len(documents):
            raise ValueError(f"{questions} scores for {len(documents)} documents; one each")
        _, rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
        self.document_count = int(rows.max()) + 1
        self.means: npt.NDArray[np.float64] = values.mean(axis=1)
        order = np.argsort(rows, kind="stable")
        first = np.searchsorted(rows[order], np.arange(self.document_count))
        centred = (values - self.means[:, None])[:, order]
        sums = np.add.reduceat(centred, first, axis=1)
        self.deviations: npt.NDArray[np.float64] = sums * (_scale(self.document_count) / questions)

    def error(self, candidate: int) -> float:
        """Standard error of one candidate's mean."""
        if self.document_count < 2:
            return UNKNOWN
        return float(np.linalg.norm(self.deviations[candidate]))

    def gap_errors(self, candidate: int) -> npt.NDArray[np.float64]:
        """Standard error of each candidate's difference to one of them, ``[C]``."""
        if self.document_count < 2:
            return np.full(len(self.means), UNKNOWN)
        gaps = self.deviations - self.deviations[candidate]
        errors: npt.NDArray[np.float64] = np.linalg.norm(gaps, axis=1)
        return errors

    def gap_error(self, candidate: int, other: int) -> float:
        """Standard error of the difference between two candidates."""
        if self.document_count < 2:
            return UNKNOWN
        return float(np.linalg.norm(self.deviations[candidate] - self.deviations[other]))


def _scale(documents: int) -> float:
    """Factor for the degree of freedom that the mean takes."""
    return float(np.sqrt(documents / max(1, documents - 1)))
