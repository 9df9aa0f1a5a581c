"""What it is worth to give no answer: the best threshold, and scores by whether there is one.

As in SQuAD 2.0's evaluation script (Rajpurkar et al., Know What You Don't Know, 2018): no answer to
a question without one scores 1, to any other 0. The best threshold is chosen on the very questions
that it is scored on, and so is an upper bound for any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.scores.bootstrap import LEVEL

_ROUNDS = 500
"""Draws of documents for a threshold and its interval."""


@dataclass(frozen=True, slots=True)
class AnswerSplit:
    """Mean scores by whether there is an answer.

    Attributes:
        answerable: Questions that have an answer.
        has_answer: Mean score of these; 0 where there are none.
        unanswerable: Questions that have none.
        no_answer: Mean score of these, which is the share that got no answer.
        all: Mean score of all questions.
        best: The same with the best possible threshold.
        best_threshold: Probability of no answer above which none is given then.
        always: The same where every question gets an answer.
    """

    answerable: int
    has_answer: float
    unanswerable: int
    no_answer: float
    all: float
    best: float
    best_threshold: float
    always: float


def best_threshold(suspicion: Doubles, answered: Doubles, none: Doubles) -> float:
    """Above which suspicion no answer should be given, so that the mean score is highest.

    Args:
        suspicion: How much speaks for no answer, ``[Q]``.
        answered: Score of each question's answer, ``[Q]``.
        none: Score of no answer, 1 where there is none, else 0, ``[Q]``.

    Returns:
        Halfway between two suspicions; of equally good ones the highest. Minus infinity gives
        no answer ever, infinity always gives one.
    """
    order = np.argsort(suspicion, kind="stable")
    return _best_cut(suspicion[order], (answered - none)[order])


def bagged_threshold(
    suspicion: Doubles, answered: Doubles, none: Doubles, documents: Sequence[str], seed: int = 0
) -> tuple[float, float, float]:
    """A threshold for questions to come, and the 95 % interval of the best one.

    Documents are drawn anew, and the middle of the draws' best thresholds is taken: a few questions
    near the cut move the best threshold of one sample far (bagging; Breiman, 1996).

    Args:
        suspicion: As for :func:`best_threshold`.
        answered: Likewise.
        none: Likewise.
        documents: Document of each question.
        seed: Decides the draws.

    Returns:
        The median, and the lower and upper end.
    """
    _, rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
    count = int(rows.max()) + 1
    order = np.argsort(suspicion, kind="stable")
    ordered, gains, rows = suspicion[order], (answered - none)[order], rows[order]
    rng = np.random.default_rng(seed)
    found = np.empty(_ROUNDS)
    for round_ in range(_ROUNDS):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        found[round_] = _best_cut(ordered, gains * drawn[rows])
    shares = [0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2]
    middle, low, high = np.quantile(found, shares, method="nearest").tolist()
    return middle, low, high


def _best_cut(suspicion: Doubles, gains: Doubles) -> float:
    """The best threshold for ascending suspicions and what answering each question gains."""
    total = np.append(0.0, np.cumsum(gains))
    # A threshold cannot stand between two equal suspicions.
    possible = np.append(np.append(True, np.diff(suspicion) > 0), True)
    total[~possible] = -np.inf
    answered = len(total) - 1 - int(np.argmax(total[::-1] >= total.max() - 1e-12))
    if answered == len(suspicion):
        return np.inf
    if not answered:
        return -np.inf
    return float((suspicion[answered - 1] + suspicion[answered]) / 2)


def split_scores(
    given_none: npt.NDArray[np.bool_], probability: Doubles, answered: Doubles, none: Doubles
) -> AnswerSplit:
    """Scores by whether there is an answer, beside those of the best threshold.

    Args:
        given_none: Which questions got no answer, ``[Q]``.
        probability: That there is no answer, ``[Q]``.
        answered: Score of each question's answer, ``[Q]``.
        none: Score of no answer, 1 where there is none, else 0, ``[Q]``.
    """
    scores, without = np.where(given_none, none, answered), none > 0
    best = float(np.clip(best_threshold(probability, answered, none), 0.0, 1.0))
    return AnswerSplit(
        answerable=int((~without).sum()),
        has_answer=_mean(scores[~without]),
        unanswerable=int(without.sum()),
        no_answer=_mean(scores[without]),
        all=_mean(scores),
        best=_mean(np.where(probability > best, none, answered)),
        best_threshold=best,
        always=_mean(answered),
    )


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else 0.0
