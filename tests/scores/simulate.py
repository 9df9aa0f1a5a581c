"""Searches whose truth is known: what is stated of the ladder's best against what it is worth.

A candidate answers a question half right where a hidden number is above 0 and fully right where it
is above 0.5. The number is the sum of the candidate's ability, of how hard document and question
are (common to all candidates), of the candidate's quirks on document and question that its
perturbations inherit, and of quirks of its own, such as a seed's. True scores follow from the
ability alone: the other parts are normal with known variances.

An adaptive search perturbs the best candidate so far by public score. Abilities and quirks go back
towards their mean as they are perturbed, so all of them are as varied at the end as at the
beginning; what the search makes of that is its own doing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from autoqa.scores.ladder import best_so_far
from autoqa.scores.standard_errors import Spread
from autoqa.scores.stated_score import stated_score

Array = npt.NDArray[np.float64]
_BY_DOCUMENT = 0.25
"""Share of a quirk's variance that all questions of a document have in common."""


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        reads: Candidates, each read once.
        documents: Public documents.
        questions: Public questions, a multiple of the documents.
        ability: Standard deviation of candidates' abilities; 0.1 is about 0.033 of the score.
        inherited: Variance of quirks that perturbations inherit.
        own: Variance of quirks that they do not.
        likeness: Correlation of a perturbation with what it perturbs, in ability and inherited
            quirks.
        adaptive: Whether candidates are perturbations of the best so far, or independent.
    """

    reads: int = 200
    documents: int = 100
    questions: int = 400
    ability: float = 0.1
    inherited: float = 0.1
    own: float = 0.1
    likeness: float = 0.9
    adaptive: bool = True


MEAN_ABILITY = 0.4
EASE_OF_DOCUMENTS, EASE_OF_QUESTIONS = 0.3, 0.5


@dataclass(frozen=True)
class Outcome:
    """Means over runs.

    Attributes:
        covered: Share of runs in which the stated interval holds the true score.
        optimism: Stated score less true score.
        half_width: Half the width of the stated interval.
        naive_covered: The same for the highest public mean and its usual 95 % interval.
        naive_optimism: The same.
        naive_half_width: The same.
    """

    covered: float
    optimism: float
    half_width: float
    naive_covered: float
    naive_optimism: float
    naive_half_width: float


def outcome(setting: Setting, runs: int, seed: int = 0) -> Outcome:
    """Simulates some searches."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(runs):
        scores, documents, truth = search(setting, rng)
        spread = Spread(scores, documents)
        best, highest = best_so_far(spread), int(spread.means.argmax())
        said = stated_score(spread, best, setting.reads)
        usual = 1.96 * spread.error(highest)
        miss = float(spread.means[highest]) - truth[highest]
        rows.append(
            (
                said.low <= truth[best] <= said.high,
                said.score - truth[best],
                said.half_width,
                abs(miss) <= usual,
                miss,
                usual,
            )
        )
    return Outcome(*np.mean(rows, axis=0).tolist())


def search(setting: Setting, rng: np.random.Generator) -> tuple[Array, list[str], list[float]]:
    """One search: public scores ``[C, Q]``, document of each question, true scores."""
    each = setting.questions // setting.documents
    documents = np.repeat(np.arange(setting.documents), each)

    def quirk(variance: float, by_document: float = _BY_DOCUMENT) -> Array:
        shared = rng.normal(0, math.sqrt(by_document * variance), setting.documents)
        single = rng.normal(0, math.sqrt((1 - by_document) * variance), len(documents))
        return shared[documents] + single

    hardness = EASE_OF_DOCUMENTS + EASE_OF_QUESTIONS
    ease = quirk(hardness, EASE_OF_DOCUMENTS / hardness)
    deviation = math.sqrt(hardness + setting.inherited + setting.own)
    kept = setting.likeness if setting.adaptive else 0.0
    fresh = math.sqrt(1 - kept**2)
    scores, truth = np.empty((setting.reads, len(documents))), []
    ability, quirks, highest = 0.0, np.zeros(len(documents)), -1.0
    for number in range(setting.reads):
        new = fresh if number else 1.0
        tried = kept * ability + new * setting.ability * float(rng.normal())
        inherited = kept * quirks + new * quirk(setting.inherited)
        hidden = MEAN_ABILITY + tried + ease + inherited + quirk(setting.own)
        scores[number] = np.mean([hidden > 0, hidden > 0.5], axis=0)
        truth.append(_true_score(MEAN_ABILITY + tried, deviation))
        if scores[number].mean() > highest:
            highest, ability, quirks = float(scores[number].mean()), tried, inherited
    return scores, [str(name) for name in documents], truth


def _true_score(ability: float, deviation: float) -> float:
    normal = NormalDist(0, deviation)
    return (normal.cdf(ability) + normal.cdf(ability - 0.5)) / 2


def settings() -> Iterator[tuple[str, Setting]]:
    """Settings beside the one that a target is set for."""
    yield "10 reads", Setting(reads=10)
    yield "10 reads, equal abilities", Setting(reads=10, ability=0)
    yield "40 documents", Setting(documents=40)
    yield "40 documents, equal abilities", Setting(documents=40, ability=0)
    yield "equal abilities", Setting(ability=0)
    yield "abilities differ widely", Setting(ability=0.2)
    yield "nothing inherited but ability", Setting(inherited=0, own=0.2)
    yield "all quirks inherited", Setting(inherited=0.2, own=0)
    yield "all quirks inherited, equal abilities", Setting(inherited=0.2, own=0, ability=0)
    yield "random search", Setting(adaptive=False)
    yield "random search, equal abilities", Setting(adaptive=False, ability=0)
    yield "one read", Setting(reads=1)
