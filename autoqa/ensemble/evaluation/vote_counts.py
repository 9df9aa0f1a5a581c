"""The word vote of :mod:`autoqa.ensemble.joining.vote` on sets of words as bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.evaluation.item_counts import ItemCounts
from autoqa.ensemble.evaluation.word_sets import Bits

Votes = npt.NDArray[np.int16]
"""Groups that have each word in their answer, ``[B, Q, 64]``."""

_Which = Indices | None
"""Some questions, or all."""


@dataclass(frozen=True, slots=True, eq=False)
class AnswerWords:
    """Words of answers.

    Attributes:
        own: Their words, each as often as it occurs, ``[B, ...]``.
        has: The same words with the bits of all occurrences that there are: what is voted on. Where
            no word of any text occurs twice, the same array.
    """

    own: Bits
    has: Bits

    @property
    def simple(self) -> bool:
        """Whether no word occurs twice."""
        return self.own is self.has

    def take(self, which: Indices) -> "AnswerWords":
        """Those at some places of the last axis, as an array ``[B, *which.shape]``."""
        own = self.own.take(which, axis=1)
        return AnswerWords(own, own if self.simple else self.has.take(which, axis=1))


def count_votes(answers: Sequence[AnswerWords]) -> Votes:
    """Counts the groups that have each word, from one array ``[B, Q]`` per group."""
    votes: Votes = flags(np.stack([each.has for each in answers])).sum(axis=0, dtype=np.int16)
    return votes


def first_with(answers: Sequence[AnswerWords]) -> Bits | None:
    """Words as the first of several answers has them that has them; ``None`` where all do alike."""
    if not answers or answers[0].simple:
        return None
    words = answers[-1].own
    for each in reversed(answers[:-1]):
        words = each.own | (~each.has & words)
    return words


def majority(
    votes: Votes, groups: int, preferred: AnswerWords, others: Sequence[AnswerWords]
) -> Bits:
    """The words that stay, ``[B, Q]``.

    Args:
        votes: Of all groups.
        groups: How many there are.
        preferred: The best group's answers, ``[B, Q]``.
        others: Those of the other groups, in their order.
    """
    kept = packed((2 * votes > groups) | ((2 * votes == groups) & flags(preferred.has)))
    return _unless_empty(_occurring(kept, preferred, first_with(others)), preferred.own)


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """AnswerWords of P versions of one group, which differ on some questions only.

    Attributes:
        common: The answers where all agree, ``[B, Q]``.
        questions: Where they may not, ``[N]``.
        changed: The answers there, ``[B, P, N]``.
    """

    common: AnswerWords
    questions: Indices
    changed: AnswerWords

    def alone(self, counts: ItemCounts, weights: Doubles) -> Doubles:
        """Weighted mean score of each version by itself, ``[P]``."""
        return self._means(lambda answers, _: answers.own, counts, weights)

    def leading(
        self,
        votes: Votes,
        groups: int,
        others: Sequence[AnswerWords],
        counts: ItemCounts,
        weights: Doubles,
    ) -> Doubles:
        """The same of its vote with others, as the best group.

        Args:
            votes: Of the other groups.
            groups: How many groups vote, this one included.
            others: The other groups' answers, in their order, ``[B, Q]``.
            counts: Scores answers.
            weights: How much each question counts, ``[Q]``.
        """
        # A word with exactly half of the votes stays if this group has it.
        more, same = packed(2 * votes + 2 >= groups), packed(2 * votes > groups)
        else_ = first_with(others)

        def vote(answers: AnswerWords, which: _Which) -> Bits:
            kept = _at(same, which) | (answers.has & _at(more, which))
            rest = None if else_ is None else _at(else_, which)
            return _unless_empty(_occurring(kept, answers, rest), answers.own)

        return self._means(vote, counts, weights)

    def following(
        self,
        votes: Votes,
        groups: int,
        preferred: AnswerWords,
        before: Sequence[AnswerWords],
        after: Sequence[AnswerWords],
        counts: ItemCounts,
        weights: Doubles,
    ) -> Doubles:
        """The same where another group is the best.

        Args:
            votes: Of the other groups.
            groups: How many groups vote, this one included.
            preferred: The best group's answers, ``[B, Q]``.
            before: AnswerWords of those further ones that come before this one in their order.
            after: Of those that come after it.
            counts: Scores answers.
            weights: How much each question counts, ``[Q]``.
        """
        has = flags(preferred.has)
        more = packed((2 * votes + 2 > groups) | ((2 * votes + 2 == groups) & has))
        same = packed((2 * votes > groups) | ((2 * votes == groups) & has))

        def vote(answers: AnswerWords, which: _Which) -> Bits:
            kept = _at(same, which) | (answers.has & _at(more, which))
            best = _each_at(preferred, which)
            line = [*(_each_at(each, which) for each in before), answers]
            line += [_each_at(each, which) for each in after]
            return _unless_empty(_occurring(kept, best, first_with(line)), best.own)

        return self._means(vote, counts, weights)

    def _means(
        self,
        vote: Callable[[AnswerWords, _Which], Bits],
        counts: ItemCounts,
        weights: Doubles,
    ) -> Doubles:
        base = counts.best(vote(_each_at(self.common, None), None))[0]
        scores = counts.best(vote(self.changed, self.questions), self.questions)
        gains = ((scores - base[self.questions]) * weights[self.questions]).sum(axis=-1)
        means: Doubles = ((base * weights).sum() + gains) / weights.sum()
        return means


def flags(sets: Bits) -> npt.NDArray[np.bool_]:
    """One flag per word, ``[..., 64]``."""
    unpacked = np.unpackbits(np.ascontiguousarray(sets)[..., None].view(np.uint8), axis=-1)
    return unpacked.view(np.bool_)


def packed(words: npt.NDArray[np.bool_]) -> Bits:
    """The inverse of :func:`flags`."""
    sets: Bits = np.packbits(words, axis=-1).view(np.uint64)[..., 0]
    return sets


def _occurring(kept: Bits, preferred: AnswerWords, rest: Bits | None) -> Bits:
    """Words that stay as often as they occur: in the best answer, or in the first that has them."""
    if rest is None:
        return kept if preferred.simple else kept & preferred.own
    return kept & (preferred.own | (~preferred.has & rest))


def _at(sets: Bits, which: _Which) -> Bits:
    """Sets of some questions for all versions alike, ``[B, 1, N]``."""
    return (sets if which is None else sets.take(which, axis=1))[:, None]


def _each_at(answers: AnswerWords, which: _Which) -> AnswerWords:
    own = _at(answers.own, which)
    return AnswerWords(own, own if answers.simple else _at(answers.has, which))


def _unless_empty(sets: Bits, instead: Bits) -> Bits:
    return np.where(sets.any(axis=0), sets, instead)
