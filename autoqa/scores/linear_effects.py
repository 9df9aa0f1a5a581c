"""What conditions that were varied together did to a mean score, each for itself.

The score of trial t is ``y_t = f_t + x_t b + e_t``. ``f`` holds what must be allowed for whatever
the data say (an intercept, backbones) and has a flat prior. The effects ``b`` are normal around
zero, with one common standard deviation that is ``r`` times the noise's; ``r`` is unknown and
averaged over by its marginal likelihood, and the noise's variance has Jeffreys' prior. This is
Bayesian ridge regression (Lindley and Smith, Bayes Estimates for the Linear Model, JRSS B 34,
1972; Gelman et al., Bayesian Data Analysis, 3rd ed. 2013, chapters 14 and 15). With many trials it
is least squares; with fewer trials than effects it still has an answer, and says with wide
intervals how little that is worth. All effects are in one model, so what a sampler tried together
is held apart as far as the trials allow.

**Error.** Trials differ by chance (the seed), and so do questions. The model's posterior variance
is that of other trials on the same documents. Each estimate is a weighted sum of the trials'
scores, hence a mean over documents as well, which has a sampling error of its own
(:class:`autoqa.scores.standard_errors.Spread`). What the two have in common, the noise of single
trials on single documents, is counted once: ``V = V_trials + V_documents - V_both`` (two-way
clustering; Cameron, Gelbach and Miller, Robust Inference with Multiway Clustering, JBES 29, 2011),
and ``V`` is never less than either.

**Many effects.** ``clear`` are only those whose interval excludes zero at the level that makes 95 %
hold for all effects at once (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from autoqa.arrays import Doubles
from autoqa.scores.standard_errors import Spread

FEWEST = 8
"""Trials below which nothing is said."""

_FEWEST_FREE = 4
"""Trials that must be left beyond those that the flat columns take.

A t distribution with fewer degrees of freedom has hardly a variance.
"""

_RATIOS = np.geomspace(0.3, 30.0, 21)
"""Standard deviation of effects over that of the noise: what is averaged over.

Smaller ratios would draw the estimates of a dozen trials to zero, with intervals too narrow for
what is there: at .03 they held 80 % of large effects instead of 90.
"""

_TAIL = 0.025
_MOST = 10
"""More trials are forecast up to so many times those that there are."""


@dataclass(frozen=True, slots=True)
class EffectEstimate:
    """One effect on the mean score.

    Attributes:
        effect: What a step of the condition adds to the mean score.
        standard_error: For other trials on other documents.
        low: Lower end of its own 95 % interval.
        high: Upper end.
        wide_low: Lower end of the interval that holds, in 95 %, for all effects at once.
        wide_high: Upper end of that.
        more_trials: How many further trials would make it clear, if it is as large as it seems:
            0 where it is clear; ``None`` where that cannot be said.
        more_documents: Whether the documents are too few for any number of trials to do so.
    """

    effect: float
    standard_error: float
    low: float
    high: float
    wide_low: float
    wide_high: float
    more_trials: int | None
    more_documents: bool

    @property
    def clear(self) -> bool:
        """Whether the interval for all effects at once excludes zero."""
        return self.wide_low > 0 or self.wide_high < 0


def can_estimate(trials: int, flat: int) -> bool:
    """Whether there are enough trials to say anything.

    Args:
        trials: How many there are.
        flat: Columns with a flat prior, the intercept included.
    """
    return trials >= max(FEWEST, flat + _FEWEST_FREE)


def estimate_effects(
    columns: Doubles,
    flat: Doubles,
    scores: Doubles,
    documents: Sequence[str],
    steps: npt.ArrayLike = 1.0,
) -> list[EffectEstimate]:
    """Estimates all effects together.

    Args:
        columns: Conditions with a normal prior, ``[T, J]``; each scaled so that a step of 1 is a
            usual one (a switch as 0 and 1, a number by two standard deviations: Gelman, Scaling
            Regression Inputs by Dividing by Two Standard Deviations, 2008).
        flat: Conditions with a flat prior, ``[T, F]``, linearly independent of each other and of
            the intercept, which is added.
        scores: Score of each trial on each question, ``[T, Q]``.
        documents: Document of each question, Q long.
        steps: Which step of each condition an effect is of, ``[F + J]``, or one for all.

    Returns:
        Estimates for the flat columns, then for the others.

    Raises:
        ValueError: There are too few trials, see :func:`can_estimate`.
    """
    trials = len(scores)
    if not can_estimate(trials, flat.shape[1] + 1):
        raise ValueError(f"{trials} trials are too few for {flat.shape[1] + 1} flat columns")
    spread = Spread(scores, documents)
    base = np.column_stack([np.ones(trials), flat])
    weights, variance, free = _posterior(base, columns, spread.means)
    by_document = weights @ spread.deviations
    fitted = np.column_stack([base, columns]) @ by_document
    rest = spread.deviations - fitted
    of_documents = (by_document**2).sum(axis=1)
    of_both = weights**2 @ (rest**2).sum(axis=1)
    total = np.maximum(variance, of_documents)
    total = np.maximum(total, variance + of_documents - of_both)
    means = weights @ spread.means
    degrees = max(1, min(free, spread.document_count - 1))
    if spread.document_count < 2:  # nothing is known of other documents
        total = np.ones_like(total)
    scale = np.broadcast_to(np.asarray(steps, dtype=np.float64), len(means) - 1)
    alone = float(stdtrit(degrees, 1 - _TAIL))
    at_once = float(stdtrit(degrees, 1 - _TAIL / max(1, len(scale))))
    return [
        _estimate(step * mean, abs(step) * error, step**2 * fixed, alone, at_once, trials)
        for step, mean, error, fixed in zip(
            scale, means[1:], np.sqrt(total)[1:], (total - variance)[1:], strict=True
        )
    ]


def _posterior(base: Doubles, columns: Doubles, y: Doubles) -> tuple[Doubles, Doubles, int]:
    """Weights of the trials in each posterior mean, posterior variances, degrees of freedom."""
    free = len(y) - base.shape[1]
    # What is orthogonal to the flat columns says how large effects are.
    orthogonal = np.linalg.qr(base, mode="complete")[0][:, base.shape[1] :]
    left, sizes, _ = np.linalg.svd(orthogonal.T @ columns, full_matrices=False)
    target = orthogonal.T @ y
    along = (left.T @ target) ** 2
    gain = _RATIOS[:, None] ** 2 * sizes**2
    squares = np.maximum(target @ target - (along * gain / (1 + gain)).sum(axis=1), 1e-12)
    evidence = -0.5 * np.log1p(gain).sum(axis=1) - 0.5 * free * np.log(squares)
    probability = np.exp(evidence - evidence.max())
    probability /= probability.sum()
    design = np.column_stack([base, columns])
    flat = np.arange(design.shape[1]) < base.shape[1]
    weights = np.zeros(design.T.shape)
    within, means = np.zeros(len(flat)), []
    for ratio, part, rest in zip(_RATIOS, probability, squares, strict=True):
        inverse = np.linalg.inv(design.T @ design + np.diag(np.where(flat, 0.0, ratio**-2)))
        weights += part * inverse @ design.T
        means.append(inverse @ design.T @ y)
        # The variance of a t distribution, not the square of its scale.
        within += part * np.diag(inverse) * rest / (free - 2)
    deviations = np.array(means) - weights @ y
    return weights, within + probability @ deviations**2, free


def _estimate(
    effect: float, error: float, fixed: float, alone: float, at_once: float, trials: int
) -> EffectEstimate:
    """An estimate with its intervals and what would make it clear.

    Args:
        effect: The estimate.
        error: Its standard error.
        fixed: The part of its variance that further trials leave as it is.
        alone: Quantile for one effect.
        at_once: Quantile for all.
        trials: How many there are.
    """
    allowed = (effect / at_once) ** 2
    more: int | None = None
    if abs(effect) > at_once * error:
        more = 0
    elif abs(effect) > error and allowed > fixed:
        needed = trials * (error**2 - fixed) / (allowed - fixed)
        more = math.ceil(needed - trials) if needed <= (1 + _MOST) * trials else None
    return EffectEstimate(
        effect=float(effect),
        standard_error=float(error),
        low=float(effect - alone * error),
        high=float(effect + alone * error),
        wide_low=float(effect - at_once * error),
        wide_high=float(effect + at_once * error),
        more_trials=more,
        more_documents=bool(abs(effect) > error and allowed <= fixed),
    )
