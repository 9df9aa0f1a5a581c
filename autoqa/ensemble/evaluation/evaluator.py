"""Public score of any ensemble: a few hundredths of a millisecond per hundred questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.evaluation.blend_winners import Blends
from autoqa.ensemble.evaluation.item_counts import ItemCounts
from autoqa.ensemble.evaluation.span_shortlist import shortlist
from autoqa.ensemble.evaluation.vote_counts import (
    AnswerWords,
    Ballots,
    Votes,
    count_votes,
    majority,
)
from autoqa.ensemble.evaluation.word_sets import Bits, Vocabulary, jaccard
from autoqa.ensemble.joining.own_none import has_both_kinds, own_cut
from autoqa.scores.registry import get_metric
from autoqa.types import DEFAULT_METRIC, Example

Seats = tuple[int, ...]
"""An ensemble: its contenders in the order of their seats, one number for each seat."""

SAME = 1e-12
"""Means that differ by less are equal: what is left is the order of the additions."""

_CACHED_VALUES = 20_000_000
"""Values of earlier results that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A candidate that selection may seat, with its stored public predictions.

    Attributes:
        id: The candidate's id.
        group: Contenders of one group have the same windows.
        recipe: Which backbone learned from what; seats are capped for each. One recipe makes
            different models of two backbones.
        logits: Start and end logits of the public part, ``[T]`` each.
        seconds: Time it takes to answer 1,000 questions; held to the budget, and settles ties.
        ingredients: Ids of the contenders whose weights it is the mean of, if it is a soup.
    """

    id: str
    group: str
    recipe: str
    logits: LogitPair
    seconds: float = 0.0
    ingredients: tuple[str, ...] = ()


class Evaluator:
    """Scores ensembles of fixed contenders on fixed questions.

    Where a word occurs more than once, which of several groups' answers it is taken from goes by
    the order of ``groups``.

    Args:
        contenders: What ensembles are made of, C of them.
        windows: Windows of all questions by group.
        examples: The questions, Q of them.
        metric: What is scored by; one that counts items.

    Attributes:
        contenders: As given.
        groups: Group keys in order of appearance.
        group_of: Position in ``groups`` of each contender.
        alone: Score of each contender by itself, float64 ``[C, Q]``.
        groups_vote: Whether each group has one vote, whatever its seats. Of two groups only the
            better one is heard then.
    """

    groups_vote = True

    def __init__(
        self,
        contenders: Sequence[Contender],
        windows: Mapping[str, WindowsLike],
        examples: Sequence[Example],
        metric: str = DEFAULT_METRIC,
    ) -> None:
        self.contenders = contenders
        self.groups = list(dict.fromkeys(contender.group for contender in contenders))
        self.group_of = [self.groups.index(contender.group) for contender in contenders]
        self._questions = len(examples)
        contexts = [example.context for example in examples]
        counted = get_metric(metric)
        assert counted.overlap is not None
        repeated = not counted.overlap.distinct
        vocabulary = Vocabulary(len(examples), counted.segmentation, repeated=repeated)
        lists = []
        self._place = [0] * len(contenders)
        for number, group in enumerate(self.groups):
            in_group = [i for i, where in enumerate(self.group_of) if where == number]
            for position, i in enumerate(in_group):
                self._place[i] = position
            candidates = [(contenders[i].id, contenders[i].logits) for i in in_group]
            cuts = None
            if has_both_kinds(examples):
                decoder = SpanDecoder(windows[group], contexts)
                pairs = (contenders[i].logits for i in in_group)
                cuts = [own_cut(decoder, pair, examples, metric) or 0.0 for pair in pairs]
            lists.append(shortlist(candidates, windows[group], contexts, vocabulary, cuts))
        self._words = _as_answers(lists, vocabulary)
        self._blends = [blends for _, blends in lists]
        self._counts = ItemCounts(counted, examples, vocabulary)
        self._group_answers: dict[Seats, AnswerWords] = {}
        self._scores: dict[tuple[int, Seats], Doubles] = {}
        self._versions_known: dict[tuple[int, Seats], tuple[Ballots, Doubles]] = {}
        self._versions_weights: Doubles | None = None
        self._disagreements: dict[int, Doubles] = {}
        answers = np.stack([self._blend((i,)).own for i in range(len(contenders))], axis=1)
        self.alone: Doubles = self._counts.best(answers)
        self._answers = answers & vocabulary.firsts()[:, None] if repeated else answers

    def scores(self, seats: Seats, weights: Doubles) -> Doubles:
        """Score of each question, float64 ``[Q]``.

        Args:
            seats: The ensemble.
            weights: How much each question counts when the leading group is determined, ``[Q]``.
        """
        return self._scored(self.leader(seats, weights), seats)

    def mean(self, seats: Seats, weights: Doubles) -> float:
        """Weighted mean score of an ensemble."""
        return float(mean(self.scores(seats, weights), weights))

    def leader(self, seats: Seats, weights: Doubles) -> int:
        """The group whose blend alone scores highest, as a position in ``groups``."""
        return self._leader(seats, weights)[0]

    def seated_groups(self, seats: Seats) -> list[int]:
        """Groups with at least one seat, ascending."""
        return sorted({self.group_of[i] for i in seats})

    def additions(self, seats: Seats, options: Sequence[int], weights: Doubles) -> Doubles:
        """Weighted mean score of the ensemble with one seat more, for each option.

        Args:
            seats: The ensemble; it may be empty.
            options: Contenders to try, of any groups.
            weights: How much each question counts, ``[Q]``.

        Returns:
            What :meth:`mean` gives for ``(*seats, option)`` but for rounding, float64
            ``[len(options)]``.
        """
        groups = np.array([self.group_of[i] for i in options])
        means = np.empty(len(options))
        for group in np.unique(groups).tolist():
            which = np.flatnonzero(groups == group)
            places = [self._place[options[i]] for i in which.tolist()]
            means[which] = self._joined(seats, group, weights)[places]
        return means

    def disagreements(self, contender: int) -> Doubles:
        """Mean word-level 1 - Jaccard between its answers and each contender's, ``[C]``."""
        if contender not in self._disagreements:
            answers = self._answers[:, contender : contender + 1]
            self._disagreements[contender] = 1.0 - jaccard(self._answers, answers).mean(axis=-1)
        return self._disagreements[contender]

    def _leader(self, seats: Seats, weights: Doubles) -> tuple[int, float]:
        """The leading group and its mean; the first of equals."""
        leader, height = -1, -np.inf
        for group in self.seated_groups(seats):
            reached = float(mean(self._scored(group, self._only(seats, group)), weights))
            if reached > height + SAME:
                leader, height = group, reached
        return leader, height

    def _only(self, seats: Seats, group: int) -> Seats:
        return tuple(i for i in seats if self.group_of[i] == group)

    def _scored(self, leader: int, seats: Seats) -> Doubles:
        key = (leader, tuple(sorted(seats)))
        if key not in self._scores:
            if len(self._scores) * self._questions > _CACHED_VALUES:
                self._scores.clear()
            self._scores[key] = self._score(leader, seats)
        return self._scores[key]

    def _score(self, leader: int, seats: Seats) -> Doubles:
        """Score of each question, where a group settles what a vote leaves open."""
        return self._counts.best(self._vote(leader, seats))

    def _blend(self, group_seats: Seats) -> AnswerWords:
        """The answers of one group's seats, ``[B, Q]``."""
        key = tuple(sorted(group_seats))
        if key not in self._group_answers:
            if len(self._group_answers) * self._questions > _CACHED_VALUES:
                self._group_answers.clear()
            group = self.group_of[group_seats[0]]
            chosen = self._blends[group].choose([self._place[i] for i in key])
            self._group_answers[key] = self._words[group].take(chosen)
        return self._group_answers[key]

    def _vote(self, leader: int, seats: Seats) -> Bits:
        """Words of the ensemble's answers ``[B, Q]``, as ``ensemble.joining.vote`` gives them."""
        preferred = self._blend(self._only(seats, leader))
        groups = self.seated_groups(seats)
        if len(groups) < 3:  # two groups always give the answer of the better one
            return preferred.own
        others = self._others(seats, leader)
        return majority(self._votes(seats), len(groups), preferred, others)

    def _votes(self, seats: Seats) -> Votes:
        return count_votes(self._others(seats, None))

    def _others(self, seats: Seats, leader: int | None) -> list[AnswerWords]:
        """AnswerWords of the groups that have a seat but one, in their order."""
        groups = [group for group in self.seated_groups(seats) if group != leader]
        return [self._blend(self._only(seats, group)) for group in groups]

    def _versions(
        self, group: int, group_seats: Seats, weights: Doubles
    ) -> tuple[Ballots, Doubles]:
        """A group's answers with one seat more for each of its contenders, and their means.

        Kept for as long as the weights stay the same: with a seat for one group the versions of
        the others do not change.
        """
        if weights is not self._versions_weights:
            self._versions_known.clear()
            self._versions_weights = weights
        key = (group, tuple(sorted(group_seats)))
        if key not in self._versions_known:
            words = self._words[group]
            leader, questions, winners = self._blends[group].choose_with_each(
                [self._place[i] for i in group_seats], weights > 0
            )
            ballots = Ballots(words.take(leader), questions, words.take(winners))
            self._versions_known[key] = ballots, ballots.alone(self._counts, weights)
        return self._versions_known[key]

    def _joined(self, seats: Seats, group: int, weights: Doubles) -> Doubles:
        """Means with one seat more for each of one group's contenders, in their order."""
        ballots, alone = self._versions(group, self._only(seats, group), weights)
        others = tuple(i for i in seats if self.group_of[i] != group)
        if not others:
            return alone
        leader, height = self._leader(others, weights)
        first = alone > height + SAME if group > leader else alone >= height - SAME
        groups = self.seated_groups(others)
        if len(groups) == 1:
            return np.where(first, alone, height)
        votes, count = self._votes(others), len(groups) + 1
        if first.all():
            return ballots.leading(votes, count, self._others(others, None), self._counts, weights)
        following = ballots.following(
            votes,
            count,
            self._blend(self._only(others, leader)),
            self._others(tuple(i for i in others if self.group_of[i] < group), leader),
            self._others(tuple(i for i in others if self.group_of[i] > group), leader),
            self._counts,
            weights,
        )
        if not first.any():
            return following
        leading = ballots.leading(votes, count, self._others(others, None), self._counts, weights)
        return np.where(first, leading, following)


def _as_answers(
    lists: Sequence[tuple[Sequence[int], Blends]], vocabulary: Vocabulary
) -> list[AnswerWords]:
    """The words of each group's spans."""
    questions = sorted({row for _, blends in lists for row in blends.example.tolist()})
    repeats = [row for row in questions if vocabulary.has_repeats(row)]
    answers = []
    for masks, blends in lists:
        own = vocabulary.bits(masks)
        if not repeats:
            answers.append(AnswerWords(own, own))
            continue
        rows = blends.example.tolist()
        full = list(masks)
        for place in np.flatnonzero(np.isin(blends.example, repeats)).tolist():
            full[place] = vocabulary.everywhere(rows[place], masks[place])
        answers.append(AnswerWords(own, vocabulary.bits(full)))
    return answers


def mean(values: Doubles, weights: Doubles) -> Doubles:
    """Weighted mean over the last axis; the same for a row whatever stands beside it."""
    total: Doubles = (values * weights).sum(axis=-1) / weights.sum()
    return total
