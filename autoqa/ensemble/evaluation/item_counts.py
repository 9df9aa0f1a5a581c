"""Scores of answers that are sets of words as bits, by any metric that counts items.

A vote is held on the words of answers, a metric counts items that it makes of words: none of an
article, several of a word that it cuts, the same one of ``Paris`` and ``Paris,``. What an answer
scores against a reference follows from three numbers: its items, the reference's, and those in
common. All three are sums over the words of the answer, so that bits are counted under masks.

* Its items: bits of words with one item, twice those of words with two, and so on, by the binary
  digits of these numbers.
* Those in common, where an item of the reference comes from one word only: bits of that word, as
  many as the reference has.
* Where it comes from several words (``Paris`` and ``Paris,`` in the contexts of one question),
  their bits are counted one item at a time, and no more count than the reference has.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.evaluation.word_sets import NONE, Bits, Vocabulary, size
from autoqa.scores.metrics import references
from autoqa.scores.registry import Metric
from autoqa.text.segmentation import pieces
from autoqa.types import Example

_Counts = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """One reference of each question.

    Attributes:
        size: Items, int32 ``[Q]``.
        plain: Bits of words that alone have one item of the reference, two, four, ``[B, Q]`` each.
        question: Question of each item that several words have, ascending, int64 ``[H]``.
        most: How many of it the reference has, int32 ``[H]``.
        shared: Bits of words that have it once, twice, four times, ``[B, H]`` each.

    A word that has three is among those with one and among those with two.
    """

    size: _Counts
    plain: Sequence[Bits]
    question: Indices
    most: _Counts
    shared: Sequence[Bits]


class ItemCounts:
    """Scores sets of words against the references of their questions.

    Args:
        metric: One that compares items.
        examples: The questions, Q of them.
        vocabulary: Made with the metric's segmentation, and with occurrences unless its items are
            distinct. All words are known.
    """

    def __init__(self, metric: Metric, examples: Sequence[Example], vocabulary: Vocabulary) -> None:
        assert metric.overlap is not None
        self._overlap, self._vocabulary = metric.overlap, vocabulary
        self._segmentation = metric.segmentation
        items = cache(metric.overlap.items)
        owners: list[dict[str, dict[str, int]]] = []
        masks: list[dict[str, list[int]]] = []
        weights: list[list[tuple[int, int]]] = []
        for row, example in enumerate(examples):
            of_item: dict[str, dict[str, int]] = defaultdict(dict)
            bits: dict[str, list[int]] = defaultdict(list)
            weighed = []
            for word, _, bit in vocabulary.entries(row):
                found = () if word == NONE else items(word, example.language)
                bits[word].append(bit)
                weighed.append((bit, len(found)))
                for item, count in Counter(found).items():
                    of_item[item][word] = count
            owners.append(of_item)
            masks.append(bits)
            weights.append(weighed)
        self._sizes = self._digits([dict(each) for each in weights])
        lists = [references(example) for example in examples]
        self._references = [
            self._reference(
                [each[number] if number < len(each) else each[0] for each in lists],
                [example.language for example in examples],
                owners,
                masks,
            )
            for number in range(max(map(len, lists)))
        ]

    def best(self, answers: Bits, which: Indices | None = None) -> Doubles:
        """Score of each answer, the best over the references, ``[..., Q]``.

        Args:
            answers: Words of the answers, ``[B, ..., Q]``.
            which: Whose answers they are, ascending; left out, those of all questions.
        """
        sizes = _counted(answers, self._sizes, which)
        best = np.zeros(answers.shape[1:])
        for reference in self._references:
            np.maximum(best, self._score(answers, sizes, reference, which), out=best)
        return best

    def _score(
        self, answers: Bits, sizes: _Counts, reference: _Reference, which: Indices | None
    ) -> Doubles:
        expected = reference.size if which is None else reference.size[which]
        common = _counted(answers, reference.plain, which)
        _add_shared(common, answers, reference, which)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = self._overlap.share(
                sizes.astype(np.float64), expected.astype(np.float64), common.astype(np.float64)
            )
        nothing = (sizes == 0) | (expected == 0)
        values: Doubles = np.where(nothing, sizes == expected, share)
        return values

    def _reference(
        self,
        texts: Sequence[str],
        languages: Sequence[str],
        owners: Sequence[dict[str, dict[str, int]]],
        masks: Sequence[dict[str, list[int]]],
    ) -> _Reference:
        """What must be counted for one reference of each question.

        Args:
            texts: The references.
            languages: Of the questions.
            owners: Words of each question that have an item, and how often, by item.
            masks: Bits of each question's words.
        """
        sizes, question, most = [], [], []
        plain: list[dict[int, int]] = []
        shared: list[dict[int, int]] = []
        for row, (text, language) in enumerate(zip(texts, languages, strict=True)):
            counts = self._overlap.counted(pieces(text, self._segmentation), language)
            sizes.append(counts.total())
            alone: dict[int, int] = defaultdict(int)
            for item, count in counts.items():
                words = owners[row].get(item, {})
                if len(words) == 1 and set(words.values()) == {1}:
                    for bit in masks[row][next(iter(words))][:count]:
                        alone[bit] += 1
                elif words:
                    question.append(row)
                    most.append(count)
                    shared.append({bit: n for w, n in words.items() for bit in masks[row][w]})
            plain.append(alone)
        return _Reference(
            np.array(sizes, np.int32),
            self._digits(plain),
            np.array(question, np.int64),
            np.array(most, np.int32),
            self._digits(shared),
        )

    def _digits(self, counts: Sequence[dict[int, int]]) -> list[Bits]:
        """Numbers of bits as masks of their binary digits, ``[B, len(counts)]`` each."""
        highest = max((number for each in counts for number in each.values()), default=0)
        return [
            self._vocabulary.bits(
                [sum(1 << bit for bit, n in each.items() if n >> digit & 1) for each in counts]
            )
            for digit in range(highest.bit_length())
        ]


def _counted(answers: Bits, digits: Sequence[Bits], which: Indices | None) -> _Counts:
    """Sums of the numbers that the bits of sets stand for, ``[..., Q]``."""
    counts = np.zeros(answers.shape[1:], np.int32)
    between = (1,) * (answers.ndim - 2)
    for place, mask in enumerate(digits):
        chosen = mask if which is None else mask.take(which, axis=1)
        shaped = chosen.reshape(*chosen.shape[:1], *between, *chosen.shape[1:])
        counts += size(answers & shaped) << place
    return counts


def _add_shared(
    common: _Counts, answers: Bits, reference: _Reference, which: Indices | None
) -> None:
    """Adds to the items in common those that several words have."""
    question, most, digits = reference.question, reference.most, reference.shared
    if which is not None:
        place = np.searchsorted(which, question)
        inside = place < len(which)
        inside[inside] = which[place[inside]] == question[inside]
        kept = np.flatnonzero(inside)
        question, most = place[kept], most[kept]
        digits = [mask.take(kept, axis=1) for mask in digits]
    if not len(question):
        return
    counts = np.minimum(_counted(answers.take(question, axis=-1), digits, None), most)
    first = np.flatnonzero(np.diff(question, prepend=-1))
    common[..., question[first]] += np.add.reduceat(counts, first, axis=-1)
