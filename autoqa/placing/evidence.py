"""What a text says about where the answer to a question stands in it.

Nothing here needs a model or a place that someone is sure of: rows whose answer occurs once show
where the answers of a source stand, and the coefficients of the features are fitted to those.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from unicodedata import east_asian_width

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.placing.conditional_logit import fit
from autoqa.placing.occurrences import occurrences, sentences, splits_word
from autoqa.types import Answer, Example

_GRAM, _WIDE_GRAM = 4, 2
"""Characters of a fragment of a word; wide ones (Hangul, Han, Kana) are syllables."""

_REACH = np.array([100.0, 250.0])
"""Characters over which a fragment of the question beside a place counts for less, by e."""

_CONTEXTS = 2000
"""Contexts that say how common a fragment is."""

_LEARNED = 1000
"""Rows whose answer occurs once that coefficients are fitted to; more hardly change them."""

_RIVALS = 8
"""Other places of such a row that the answer's place is told apart from."""

# Fitted to the rows of TyDi QA and XQuAD whose answer occurs once (see `Places`); what a source
# with few such rows gets. tests/benchmarks/bench_relocation.py prints them anew.
_USUAL = np.array([0.21, 5.25, 3.04, 0.02, -0.48, -0.39])

TEXT_COEFFICIENTS = np.array([0.89, 0.37, 0.65, -1.16, 0.49, -0.45, 0.9])
"""What each column of :meth:`Places.evidence` counts in a conditional logit, and last what
translations say.

Fitted to the 1,993 answers of TyDi QA and XQuAD that occur several times, which carry true offsets;
tests/benchmarks/bench_relocation.py fits them anew and prints them.
"""

_BRACKETS = 200
"""Characters within which a bracket must have been opened."""

_QUOTES = {ord(mark): " " for mark in "\"'()[]«»“”„\n\t"}
_EDGES = "?？؟.,!:;।॥\"'()[]«»“”„"


class Places:
    """Weighs places of contexts of one source in one language.

    The features of a place are: how near fragments of the question's words stand, at two reaches;
    how much of the question its sentence has in it, and the sentence before; the logarithms of the
    sentence's length and of its number. Fragments are character n-grams inside words, rare ones
    weigh more (inverse document frequency), so inflected words match in any script.

    Args:
        examples: The source's rows in the language.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        contexts = list(dict.fromkeys(example.context for example in examples))[:_CONTEXTS]
        self._documents = len(contexts)
        self._common: Counter[str] = Counter()
        for context in contexts:
            self._common.update(_fragments(_folded(context).split()))
        alone = unambiguous(examples)
        self._splits = [
            _log_odds(splits_word(example.context, place) for example, place in places)
            for places in (
                [(example, answer.start) for example, answer in alone],
                [(example, answer.end) for example, answer in alone],
            )
        ]
        self.coefficients: Doubles = fit(*self.lessons(alone), _USUAL)

    def evidence(self, example: Example, starts: Sequence[int], length: int) -> Doubles:
        """Evidence for each of several places of one text, ``[K, 6]``.

        The columns: the weighed features of the place; how usual it is for answers to begin, and
        to end, inside a word or not as here (log-odds); whether it is in brackets; whether it is
        the first place; the logarithm of its number.

        Args:
            example: The row.
            starts: First characters of the places, ascending.
            length: Characters of the text that stands at each.
        """
        edges = (np.asarray(starts), np.asarray(starts) + length)
        number = np.arange(len(starts))
        return np.column_stack(
            [
                self.features(example, starts, length) @ self.coefficients,
                *(
                    [odds if splits_word(example.context, place) else -odds for place in places]
                    for odds, places in zip(self._splits, edges, strict=True)
                ),
                [_in_brackets(example.context, start) for start in starts],
                number == 0,
                np.log1p(number),
            ]
        )

    def lessons(self, rows: Sequence[tuple[Example, Answer]]) -> tuple[list[Doubles], list[int]]:
        """What is learned from rows whose answer occurs once.

        Returns:
            For each row the features of the answer's place and of others where a text of its kind
            could begin, and which of them is the answer's: the first.
        """
        told_apart = [self._told_apart(example, answer) for example, answer in rows]
        return told_apart, [0] * len(told_apart)

    def features(self, example: Example, starts: Sequence[int], length: int) -> Doubles:
        """Features of places as the class describes them, ``[K, 6]``."""
        text = _folded(example.context)
        bounds = np.array(sentences(example.context))
        places = np.asarray(starts)
        sentence = np.searchsorted(bounds[:, 0], places, side="right") - 1
        shared, near = np.zeros(len(bounds)), np.zeros((len(places), len(_REACH)))
        weights = self._weigh(example.question)
        total = sum(weights.values()) or 1.0
        for fragment, weight in weights.items():
            hits = np.array(occurrences(text, fragment)) - 1  # the text begins with a blank
            if not len(hits):
                continue
            holders = np.searchsorted(bounds[:, 0], np.maximum(hits, 0), side="right") - 1
            shared[np.unique(holders)] += weight / total
            gaps = _gaps(hits, len(fragment), places, length)
            near += weight / total * np.exp(-gaps[:, None] / _REACH)
        before = np.where(sentence > 0, shared[sentence - 1], 0.0)
        size = np.log1p(bounds[sentence, 1] - bounds[sentence, 0])
        return np.column_stack([near, shared[sentence], before, size, np.log1p(sentence)])

    def _weigh(self, question: str) -> dict[str, float]:
        """Fragments of a question and what each counts."""
        words = (word.strip(_EDGES) for word in _folded(question).split())
        return {
            fragment: 1 + log((1 + self._documents) / (1 + self._common[fragment]))
            for fragment in _fragments(words)
        }

    def _told_apart(self, example: Example, answer: Answer) -> Doubles:
        context = example.context
        kind = _kind(answer.text[0])
        rivals = [
            place
            for place in range(len(context))
            if not answer.start <= place < answer.end
            and _kind(context[place]) == kind
            and not splits_word(context, place)
        ]
        drawn = random.Random(example.id).sample(rivals, min(_RIVALS, len(rivals)))
        return self.features(example, [answer.start, *drawn], len(answer.text))


def unambiguous(examples: Sequence[Example]) -> list[tuple[Example, Answer]]:
    """Rows with one answer, whose text occurs once; at most a thousand, drawn evenly."""
    alone = [
        (example, example.answers[0])
        for example in examples
        if len(example.answers) == 1
        and len(occurrences(example.context, example.answers[0].text)) == 1
    ]
    return random.Random(0).sample(alone, min(_LEARNED, len(alone)))


def _gaps(
    hits: npt.NDArray[np.int64], size: int, places: npt.NDArray[np.int64], length: int
) -> npt.NDArray[np.int64]:
    """Characters between each place's text and the nearest fragment, 0 where they overlap."""
    after = np.searchsorted(hits, places)
    left = np.where(after > 0, places - (hits[after - 1] + size), np.iinfo(np.int64).max)
    at = np.minimum(after, len(hits) - 1)
    right = np.where(after < len(hits), hits[at] - (places + length), np.iinfo(np.int64).max)
    return np.maximum(np.minimum(left, right), 0)


def _in_brackets(context: str, place: int) -> bool:
    """Whether a bracket that was opened before the place, nearby, is still open."""
    before = context[max(0, place - _BRACKETS) : place]
    return max(map(before.rfind, "(（[")) > max(map(before.rfind, ")）]"))


def _folded(text: str) -> str:
    """Lower case and without quotes and brackets, as long as the text, with a blank before it."""
    lower = text.lower()
    if len(lower) != len(text):  # as of the Turkish İ
        lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return " " + lower.translate(_QUOTES)


def _fragments(words: Iterable[str]) -> list[str]:
    """Distinct fragments of words, the first of each word with the blank before it."""
    fragments: dict[str, None] = {}
    for word in words:
        if not word:
            continue
        size = _WIDE_GRAM if east_asian_width(word[0]) in "WF" else _GRAM
        padded = f" {word}"
        for place in range(max(1, len(padded) - size + 1)):
            fragments[padded[place : place + size]] = None
    return list(fragments)


def _kind(letter: str) -> str:
    """Digits, capitals and all else begin answers of different kinds."""
    return (
        "digit"
        if letter.isdigit()
        else "capital"
        if letter.isupper()
        else ("blank" if letter.isspace() else "other")
    )


def _log_odds(seen: Iterable[bool]) -> float:
    """Half the log-odds of a yes, one of each added."""
    answers = list(seen)
    return log((1 + sum(answers)) / (1 + len(answers) - sum(answers))) / 2
