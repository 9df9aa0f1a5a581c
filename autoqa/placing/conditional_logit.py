"""Choosing one of several alternatives by their features: conditional logit.

The probability of an alternative is a softmax over the weighted features of all alternatives of
its row (McFadden, Conditional logit analysis of qualitative choice behavior, 1974). What all
alternatives of a row have in common cancels, so rows need not be comparable with each other.
"""

from collections.abc import Sequence

import numpy as np

from autoqa.arrays import Doubles

_STEPS = 50
_CLOSE = 1e-6


def fit(alternatives: Sequence[Doubles], chosen: Sequence[int], prior: Doubles) -> Doubles:
    """The most likely coefficients, drawn towards others as a normal prior of variance 1 would.

    Newton's method; the objective is concave, so there is one answer.

    Args:
        alternatives: For each row the features of its alternatives, ``[K, F]``.
        chosen: Which alternative is the right one.
        prior: Coefficients ``[F]`` to begin from, and to keep where the rows say nothing else.
    """
    coefficients = prior.copy()
    if not alternatives:
        return coefficients
    features = np.concatenate(alternatives)
    edges = np.cumsum([0, *map(len, alternatives)])
    right = features[edges[:-1] + np.asarray(chosen)].sum(axis=0)
    owner = np.repeat(np.arange(len(alternatives)), np.diff(edges))
    for _ in range(_STEPS):
        utility = features @ coefficients
        likely = np.exp(utility - np.maximum.reduceat(utility, edges[:-1])[owner])
        likely /= np.add.reduceat(likely, edges[:-1])[owner]
        weighted = features * likely[:, None]
        means = np.add.reduceat(weighted, edges[:-1])
        slope = right - means.sum(axis=0) - (coefficients - prior)
        curve = weighted.T @ features - means.T @ means + np.eye(len(prior))
        step = np.linalg.solve(curve, slope)
        coefficients += step
        if np.abs(step).max() < _CLOSE:
            break
    return coefficients


def probabilities(alternatives: Doubles, coefficients: Doubles) -> Doubles:
    """Probability of each alternative of one row, ``[K]``; they sum to 1."""
    utility = alternatives @ coefficients
    likely = np.exp(utility - utility.max())
    shares: Doubles = likely / likely.sum()
    return shares
