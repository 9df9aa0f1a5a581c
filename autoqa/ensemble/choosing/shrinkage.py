"""How ensembles compare with the equal mean of comparable candidates, evidence and prior together.

A few documents say little about small differences. What is known before (candidates of one search
differ by a few hundredths, and averaging gains a share of their disagreement) is a prior for every
ensemble's difference to the equal mean; documents without a say are the evidence. Both are normal,
and the posterior mean is shrunk towards the prior by their precisions (empirical Bayes; Efron and
Morris, Data Analysis Using Stein's Estimator and its Generalizations, 1975).

An ensemble's true score is taken as the mean skill of its members and a share of its ambiguity:
the mean disagreement of two members drawn with replacement (after Krogh and Vedelsby, Neural
Network Ensembles, Cross Validation, and Active Learning, 1995; for squared errors the share is 1).
So copies gain nothing from each other, and the more members there are, the less one more brings.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

import numpy as np

from autoqa.arrays import Doubles
from autoqa.scores.planned_interval import DOCUMENT_CORRELATION, QUESTION_DEVIATION
from autoqa.scores.quantiles import t_quantile
from autoqa.scores.standard_errors import Spread

AVERAGING_SHARE = 0.12
"""Gain of a mean of logits on its mean member, by ambiguity, disagreement being 1 - Jaccard of the
words of two answers. From three pools of one small encoder on unseen Hindi questions: two of four
candidates gained .040 and .045, one of eight .015, on the middle of their singles' range; two such
candidates are taken to disagree by a third."""

AVERAGING_DEVIATION = 0.06
"""Standard deviation of that share; the three pools have .16, .18 and .05."""

SPREAD = (0.01, 0.05)
"""Bounds of the standard deviation of comparable candidates' true scores. The same pools had .014,
.016 and .027, the noise of 578 questions included."""

PLANNED_DEGREES = 4
"""Degrees of freedom that the planned variance counts for beside that between documents."""

MARGIN = 0.10
"""A candidate that is clearly worse than the best by more than this is not comparable."""

CLEARLY = 0.99
"""Probability for that, high because the best looks better than it is. The prior is flat here: a
run that collapsed is no draw from the others' spread."""

LOSS_SHARE = 0.5
"""What members that are not comparable cost, as a share of what they lower the mean skill by. It
was nothing for the mean of two snapshots of a demo run, one .28 below the other, because a sure
member outweighs an unsure one; and more than all for a simulated run of eight that is surely
wrong."""

LOSS_DEVIATION = 0.5
"""Standard deviation of that share."""

SOUP_GAIN = 0.01
"""Gain of the mean of several models' weights on the mean of their logits. Four pools of small
encoders on unseen questions had .020, .005, .016 and .015, one of branches of one run .001."""

SOUP_DEVIATION = 0.02
"""Standard deviation of that gain: wider than the pools say, because models that were trained too
far apart cannot be averaged. Of four demo runs the best had .94, the average of their ends .77."""

MEMBER_PRICE = 0.0002
"""Score that one more model must bring for what it adds to a bundle."""

TIME_PRICE = 0.0002
"""Score that the time of one more candidate of average speed must bring."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with a standard error that few documents do not make too small.

    Attributes:
        mean: The difference.
        error: Its standard error.
        degrees: Degrees of freedom of the standard error.
    """

    mean: float
    error: float
    degrees: int

    @property
    def variance(self) -> float:
        """Variance of Student's t of that error: that of a normal law with as heavy tails."""
        return self.error**2 * self.degrees / (self.degrees - 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """An ensemble's expected difference in score to the equal mean of comparable candidates.

    Attributes:
        prior: The difference expected before documents had a say.
        prior_deviation: Its standard deviation.
        observed: Out-of-bag difference, ``None`` where no document was ever left out.
        error: Deviation of the observed one, widened for few documents.
        mean: Posterior mean.
        deviation: Posterior standard deviation.
        price: What its members and their time must bring.
    """

    prior: float
    prior_deviation: float
    observed: float | None
    error: float | None
    mean: float
    deviation: float
    price: float

    @property
    def value(self) -> float:
        """What the rule compares."""
        return self.mean - self.price


class Pool:
    """What is known of the candidates before ensembles are compared.

    A soup is taken for what it is made of, in equal parts: its own score says little more about
    few documents, and of many soups of the same models the highest is the luckiest.

    Args:
        alone: Score of each candidate by itself, ``[C, Q]``.
        documents: Document of each question, Q long.
        soups: Soups with their ingredients, by position.

    Attributes:
        trained: Candidates that are no such soups, ascending.
        soups: Those that are not clearly worse than the best trained candidate.
        best: The best of them by its mean, the first of equals.
        comparable: Of them, those that are not clearly worse than the best, ascending.
        deviation: Standard deviation of the comparable candidates' true scores.
        reliability: Correlation of their public with their true scores.
        skills: Expected true score of each candidate, as its rank promises it, less the mean of the
            comparable ones, ``[C]``; of those that are not comparable, a share of what they lack.
    """

    def __init__(
        self,
        alone: Doubles,
        documents: Sequence[str],
        soups: Mapping[int, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        means = alone.mean(axis=1)
        self.trained = [i for i in range(len(alone)) if i not in soups]
        highest = means[self.trained].max()
        self.best = next(i for i in self.trained if means[i] == highest)
        tops = alone[[i for i in self.trained if means[i] == highest]]
        able = [
            i
            for i, scores in enumerate(alone)
            if not all(_clearly_worse(top - scores, documents) for top in tops)
        ]
        self.comparable: list[int] = [i for i in able if i not in soups]
        self.soups = {i: made_of for i, made_of in soups.items() if i in able}
        among = means[self.comparable]
        self.deviation, self.reliability = _spread(alone[self.comparable], documents)
        self.skills: Doubles = LOSS_SHARE * (means - among.mean())
        scale = self.deviation * self.reliability
        self.skills[self.comparable] = [scale * _normal_score(mean, among) for mean in among]

    def unmixed(self, parts: Doubles) -> Doubles:
        """Parts with those of soups given to what they are made of, ``[C]``."""
        whole = parts.copy()
        for soup, ingredients in self.soups.items():
            whole[soup] = 0.0
            whole[list(ingredients)] += parts[soup] / len(ingredients)
        return whole

    def souped(self, parts: Doubles) -> float:
        """The part that soups have."""
        return float(parts[list(self.soups)].sum())

    def posterior(
        self,
        moved: Doubles,
        further: float,
        observed: Difference | None,
        price: float,
        souped: float = 0.0,
    ) -> Posterior:
        """Prior and evidence on one ensemble's difference to the equal mean of comparable ones.

        Args:
            moved: Each candidate's part in the ensemble less its part in that mean, soups as
                :meth:`unmixed` has them, ``[C]``.
            further: The ensemble's ambiguity less that mean's.
            observed: Out-of-bag difference, if any document was left out.
            price: What the ensemble must bring.
            souped: The part that soups have in it.
        """
        prior = float(moved @ self.skills) + AVERAGING_SHARE * further + SOUP_GAIN * souped
        rest = self.deviation**2 * (1 - self.reliability**2) * float(moved @ moved)
        loss = float(np.delete(moved, self.comparable) @ np.delete(self.skills, self.comparable))
        unsure = (
            AVERAGING_DEVIATION * further,
            LOSS_DEVIATION / LOSS_SHARE * loss,
            SOUP_DEVIATION * souped,
        )
        variance = rest + math.fsum(part**2 for part in unsure)
        mean, left = prior, variance
        if observed is not None and variance > 0:
            trust = variance / (variance + observed.variance)
            mean, left = prior + trust * (observed.mean - prior), variance * (1 - trust)
        return Posterior(
            prior=prior,
            prior_deviation=math.sqrt(variance),
            observed=None if observed is None else observed.mean,
            error=None if observed is None else math.sqrt(observed.variance),
            mean=mean,
            deviation=math.sqrt(left),
            price=price,
        )


def difference(values: Doubles, documents: Sequence[str]) -> Difference:
    """Mean of paired differences; its error is moderated between the planned and the observed.

    Two documents can be alike by chance, and their clustered standard error is then far too small.
    So it is averaged, weighted by degrees of freedom, with the error that as many questions would
    have with the correlation within documents that studies are planned with (a scaled inverse
    chi-squared prior; Smyth, Linear Models and Empirical Bayes Methods, 2004). The deviation of
    questions has one question of the planned deviation added: a few equal ones prove nothing.

    Args:
        values: Difference at each question, ``[Q]``, Q at least 1.
        documents: Document of each question, Q long.
    """
    questions, spread = len(values), Spread(values, documents)
    between, count = spread.document_count - 1, spread.document_count
    mean = float(spread.means[0])
    single = (float(((values - mean) ** 2).sum()) + QUESTION_DEVIATION**2) / questions
    effect = 1 + (questions / count - 1) * DOCUMENT_CORRELATION
    planned, clustered = single * effect / questions, spread.error(0) ** 2 if between else 0.0
    degrees = PLANNED_DEGREES + between
    variance = (PLANNED_DEGREES * planned + between * clustered) / degrees
    return Difference(mean, math.sqrt(variance), degrees)


def price(models: int, seconds: float, average: float) -> float:
    """Score that an ensemble must bring for its cost.

    Args:
        models: Its different members.
        seconds: Time of all of them for 1,000 questions.
        average: Mean time of a candidate; where times are not known, each model counts as one.
    """
    known = math.isfinite(seconds) and math.isfinite(average) and average > 0
    return MEMBER_PRICE * models + TIME_PRICE * (seconds / average if known else models)


def _clearly_worse(gaps: Doubles, documents: Sequence[str]) -> bool:
    gap = difference(gaps, documents)
    return gap.mean - MARGIN > t_quantile(CLEARLY, gap.degrees) * gap.error


def _spread(alone: Doubles, documents: Sequence[str]) -> tuple[float, float]:
    """Deviation of true scores by the method of moments, bounded, and the scores' reliability."""
    count, (low, high) = len(alone), SPREAD
    if count < 2:
        return low, 0.0
    centred = alone - alone.mean(axis=0)
    noise = float(np.mean([difference(each, documents).variance for each in centred]))
    noise *= count / (count - 1)
    seen = float(alone.mean(axis=1).var(ddof=1))
    deviation = min(max(math.sqrt(max(0.0, seen - noise)), low), high)
    return deviation, deviation / math.sqrt(deviation**2 + noise)


def _normal_score(value: float, among: Doubles) -> float:
    """Expected height of a value's rank among as many standard normal numbers (Blom, 1958)."""
    rank = (among < value).sum() + ((among == value).sum() + 1) / 2
    return NormalDist().inv_cdf(float((rank - 0.375) / (len(among) + 0.25)))
