"""What translations of a question say about where its answer stands in the text.

A translator keeps the order of what a text says, so an answer stands at nearly the same share of a
text's length in every language. Translations are rows in other languages under the same id; how
far to trust them is learned from those whose answers occur once, so rows that share ids by chance
say next to nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from autoqa.arrays import Doubles
from autoqa.data.checks import base_id
from autoqa.placing.occurrences import occurrences
from autoqa.types import Example

AnswerKey = tuple[str, str, str]
"""Id, language and text of an answer."""

_APART = 1 / 3
"""Mean distance of two places of unrelated texts: of two uniform numbers between 0 and 1."""

_PRIOR = 10
"""Pairs of unrelated texts that the pairs of a study are mixed with."""


@dataclass(frozen=True, slots=True)
class _AnswerPlaces:
    """An answer in one language: where it may stand (shares of the length), how likely each is."""

    language: str
    places: Doubles
    likely: Doubles


class Translations:
    """First answers of rows in several languages under one id.

    Args:
        rows: All rows, in whatever languages.
        weights: Logits of the occurrences of answers that occur several times, ``[K]`` each; all
            are equally likely where an answer is not in it.

    Attributes:
        spread: Mean distance of an answer's place from its place in a translation, as a share of
            the context's length.
    """

    def __init__(self, rows: Iterable[Example], logits: Mapping[AnswerKey, Doubles]) -> None:
        groups: dict[str, list[Example]] = defaultdict(list)
        for row in rows:
            if row.answers:
                groups[base_id(row)].append(row)
        self._by_id = {
            name: [_answer_places(row, logits) for row in group]
            for name, group in groups.items()
            if len({row.language for row in group}) > 1
        }
        apart = [
            abs(float(answer.places[0] - other.places[0]))
            for group in self._by_id.values()
            for answer, other in combinations(group, 2)
            if len(answer.places) == len(other.places) == 1 and answer.language != other.language
        ]
        self.spread = (sum(apart) + _PRIOR * _APART) / (len(apart) + _PRIOR)

    def evidence(self, example: Example, starts: Sequence[int], length: int) -> Doubles:
        """Log-likelihood of each of several places of an answer, ``[K]``, the best one's is 0.

        The distance from the place in a translation has a Laplace distribution; translations
        whose answer occurs several times are asked only where there are no others, and count by
        how likely each occurrence is. Several translations are averaged. All zeros where there is
        none.

        Args:
            example: The row.
            starts: First characters of the places.
            length: Characters of the text that stands at each.
        """
        answers = [
            answer
            for answer in self._by_id.get(base_id(example), ())
            if answer.language != example.language
        ]
        answers = [answer for answer in answers if len(answer.places) == 1] or answers
        if not answers:
            return np.zeros(len(starts))
        shares = _shares(example, starts, length)[:, None]
        log_likelihood: Doubles = np.mean(
            [
                np.logaddexp.reduce(
                    np.log(answer.likely) - abs(shares - answer.places) / self.spread, 1
                )
                for answer in answers
            ],
            axis=0,
        )
        relative: Doubles = log_likelihood - log_likelihood.max()
        return relative


def _answer_places(row: Example, logits: Mapping[AnswerKey, Doubles]) -> _AnswerPlaces:
    text = row.answers[0].text
    starts = occurrences(row.context, text)
    answer_logits = logits.get((row.id, row.language, text), np.zeros(len(starts)))
    likely = np.exp(answer_logits - answer_logits.max())
    return _AnswerPlaces(row.language, _shares(row, starts, len(text)), likely / likely.sum())


def _shares(row: Example, starts: Sequence[int], length: int) -> Doubles:
    """Middle of each place as a share of the context's length."""
    shares: Doubles = (np.asarray(starts) + length / 2) / len(row.context)
    return shares
