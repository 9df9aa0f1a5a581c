"""The word vote of :mod:`autoqa.ensemble.joining.vote` on sets of words as bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles, Indices
from autoqa.ensemble.evaluation.word_sets import Bits, best_jaccard

Votes = npt.NDArray[np.int16]
"""Groups that have each word in their answer, ``[B, Q, 64]``."""

_Which = Indices | None
"""Some questions, or all."""


def count_votes(answers: Sequence[Bits]) -> Votes:
    """Counts the groups that have each word, from one array ``[B, Q]`` per group."""
    votes: Votes = flags(np.stack(answers)).sum(axis=0, dtype=np.int16)
    return votes


def majority(votes: Votes, groups: int, preferred: Bits) -> Bits:
    """The words that stay, ``[B, Q]``.

    Args:
        votes: Of all groups.
        groups: How many there are.
        preferred: Words of the best group's answers, ``[B, Q]``.
    """
    joint = packed((2 * votes > groups) | ((2 * votes == groups) & flags(preferred)))
    return _unless_empty(joint, preferred)


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Answers of P versions of one group, which differ on some questions only.

    Attributes:
        common: Words of the answers where all agree, ``[B, Q]``.
        questions: Where they may not, ``[N]``.
        changed: Words of the answers there, ``[B, P, N]``.
    """

    common: Bits
    questions: Indices
    changed: Bits

    def alone(self, references: Sequence[Bits], weights: Doubles) -> Doubles:
        """Weighted mean Jaccard of each version by itself, ``[P]``."""
        return self._means(lambda answers, _: answers, references, weights)

    def leading(
        self, votes: Votes, groups: int, references: Sequence[Bits], weights: Doubles
    ) -> Doubles:
        """The same of its vote with others, as the best group.

        Args:
            votes: Of the other groups.
            groups: How many groups vote, this one included.
            references: ``[B, Q]`` each.
            weights: How much each question counts, ``[Q]``.
        """
        # A word with exactly half of the votes stays if this group has it.
        more, same = packed(2 * votes + 2 >= groups), packed(2 * votes > groups)

        def vote(answers: Bits, which: _Which) -> Bits:
            return _unless_empty(_at(same, which) | (answers & _at(more, which)), answers)

        return self._means(vote, references, weights)

    def following(
        self,
        votes: Votes,
        groups: int,
        preferred: Bits,
        references: Sequence[Bits],
        weights: Doubles,
    ) -> Doubles:
        """The same where another group is the best; ``preferred`` are its words, ``[B, Q]``."""
        has = flags(preferred)
        more = packed((2 * votes + 2 > groups) | ((2 * votes + 2 == groups) & has))
        same = packed((2 * votes > groups) | ((2 * votes == groups) & has))

        def vote(answers: Bits, which: _Which) -> Bits:
            joint = _at(same, which) | (answers & _at(more, which))
            return _unless_empty(joint, _at(preferred, which))

        return self._means(vote, references, weights)

    def _means(
        self,
        vote: Callable[[Bits, _Which], Bits],
        references: Sequence[Bits],
        weights: Doubles,
    ) -> Doubles:
        base = best_jaccard(vote(self.common[:, None], None), references)[0]
        changed_references = [words.take(self.questions, axis=1) for words in references]
        scores = best_jaccard(vote(self.changed, self.questions), changed_references)
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


def _at(sets: Bits, which: _Which) -> Bits:
    """Sets of some questions for all versions alike, ``[B, 1, N]``."""
    return (sets if which is None else sets.take(which, axis=1))[:, None]


def _unless_empty(sets: Bits, instead: Bits) -> Bits:
    return np.where(sets.any(axis=0), sets, instead)
