"""Greedy selection with Python sets and dictionaries, as one would write it down at first.

Answers are sets of words. A blend is a list of sums, one per span of the question; a vote counts
words. It follows the same rules as :mod:`autoqa.ensemble.choosing.greedy`, in its own words, so
that both must seat the same candidates: the best of each group begin, a group that harms them is
left out, seats are added by the highest mean within the caps, who answers as a member does gets no
seat, and the best blend of a single group wins only by more than a standard error.

It is given each candidate's score of every span of the shortlist, and the words of the spans. Sums
of a blend are kept while the options for one seat are tried.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Words = Any
"""A set of words, or a tuple of them where it matters how often each occurs."""
SAME = 1e-12


@dataclass
class Group:
    """Lists of one group: words of each question's spans, and each candidate's scores of them."""

    members: list[int]
    spans: list[list[Words]]
    scores: dict[int, list[list[float]]]


@dataclass
class SlowSelector:
    """Candidates as sets of words.

    Attributes:
        groups: The groups' lists.
        references: Words of each question's references.
        documents: Document of each question.
        recipes: Recipe of each candidate.
        seconds: Cost of each candidate; settles ties.
        seats: Most members.
        recipe_cap: Most seats of one recipe.
        alike: Least disagreement with every member.
    """

    groups: list[Group]
    references: list[list[Words]]
    documents: list[str]
    recipes: list[str]
    seconds: list[float]
    seats: int
    recipe_cap: int
    alike: float = 0.01

    def __post_init__(self) -> None:
        self.group_of = {i: g for g, group in enumerate(self.groups) for i in group.members}
        self.everyone = sorted(self.group_of)
        self.answers = {i: self.blended([i], self.group_of[i]) for i in self.everyone}
        self.alone = {i: self.mean_of(self.answers[i]) for i in self.everyone}
        self.ranking = sorted(self.everyone, key=lambda i: (-self.alone[i], self.seconds[i], i))

    def greedy(self) -> list[int]:
        """The whole selection."""
        first: dict[int, int] = {}
        for i in self.ranking:
            first.setdefault(self.group_of[i], i)
        starts = list(first.values())
        joint = self.climb(self.admitted(starts))
        if [self.group_of[i] for i in starts] == [self.group_of[joint[0]]]:
            return joint
        blends = [self.climb([i]) for i in starts]
        means = [self.mean_of(self.joint(blend)) for blend in blends]
        alone = blends[means.index(max(means))]
        return alone if self.beats(alone, joint) else joint

    def admitted(self, seats: list[int]) -> list[int]:
        seats = list(seats)
        while len(seats) > 2:
            fewer = [[i for i in seats if i != out] for out in seats[1:]]
            harmful = [rest for rest in fewer if self.beats(rest, seats)]
            if not harmful:
                return seats
            seats = max(harmful, key=lambda rest: self.mean_of(self.joint(rest)))
        return seats[:1]

    def climb(self, seats: list[int]) -> list[int]:
        seats = list(seats)
        allowed = {self.group_of[i] for i in seats}
        best, height = list(seats), self.mean_of(self.joint(seats))
        while len(seats) < self.seats:
            taken = Counter(self.recipes[i] for i in seats)
            found = []
            others = {g: self.blended(seats, g) for g in allowed}
            sums = {g: self.sums(seats, g) for g in allowed}
            for i in self.everyone:
                g = self.group_of[i]
                if g not in allowed or taken[self.recipes[i]] >= self.recipe_cap:
                    continue
                if i not in seats and any(self.away(i, m) < self.alike for m in set(seats)):
                    continue
                mine = self.best_of(g, sums[g], self.groups[g].scores[i])
                found.append((self.mean_of(self.vote({**others, g: mine})), i))
            if not found:
                break
            top = max(mean for mean, _ in found)
            tied = [i for mean, i in found if mean > top - SAME]
            seats.append(tied[0] if len(tied) == 1 else self.settle(seats, tied))
            if top > height + SAME:
                best, height = list(seats), top
        return best

    def settle(self, seats: list[int], tied: list[int]) -> int:
        members = set(seats)
        return min(
            tied,
            key=lambda i: (-sum(self.away(i, m) for m in members) / len(members), self.seconds[i]),
        )

    def away(self, one: int, other: int) -> float:
        pairs = zip(self.answers[one], self.answers[other], strict=True)
        return 1 - sum(overlap(a, b) for a, b in pairs) / len(self.references)

    def beats(self, one: list[int], other: list[int]) -> bool:
        first, second = self.scores_of(self.joint(one)), self.scores_of(self.joint(other))
        gains = [a - b for a, b in zip(first, second, strict=True)]
        mean = sum(gains) / len(gains)
        by_document: dict[str, float] = {}
        for document, gain in zip(self.documents, gains, strict=True):
            by_document[document] = by_document.get(document, 0.0) + gain - mean
        error = math.sqrt(sum(total**2 for total in by_document.values())) / len(gains)
        return mean > max(error, SAME)

    def sums(self, seats: Sequence[int], g: int) -> list[list[float]]:
        group = self.groups[g]
        own = [group.scores[i] for i in seats if self.group_of[i] == g]
        return [
            [sum(scores[q][s] for scores in own) for s in range(len(spans))]
            for q, spans in enumerate(group.spans)
        ]

    def best_of(
        self, g: int, sums: list[list[float]], more: list[list[float]] | None = None
    ) -> list[Words]:
        answers = []
        for q, spans in enumerate(self.groups[g].spans):
            total = sums[q] if more is None else [a + b for a, b in zip(sums[q], more[q])]  # noqa: B905
            answers.append(spans[total.index(max(total))])
        return answers

    def blended(self, seats: Sequence[int], g: int) -> list[Words]:
        return self.best_of(g, self.sums(seats, g))

    def joint(self, seats: Sequence[int]) -> list[Words]:
        return self.vote({g: self.blended(seats, g) for g in {self.group_of[i] for i in seats}})

    def vote(self, ballots: dict[int, list[Words]]) -> list[Words]:
        best, height = -1, -math.inf
        for g in sorted(ballots):
            mean = self.mean_of(ballots[g])
            if mean > height + SAME:
                best, height = g, mean
        if len(ballots) < 3:
            return ballots[best]
        answers = []
        for q, preferred in enumerate(ballots[best]):
            votes = Counter(word for g in ballots for word in ballots[g][q])
            kept = frozenset(
                word
                for word, count in votes.items()
                if 2 * count > len(ballots) or (2 * count == len(ballots) and word in preferred)
            )
            answers.append(kept or preferred)
        return answers

    def scores_of(self, answers: list[Words]) -> list[float]:
        return [
            max(overlap(answer, words) for words in references)
            for answer, references in zip(answers, self.references, strict=True)
        ]

    def mean_of(self, answers: list[Words]) -> float:
        return sum(self.scores_of(answers)) / len(answers)


@dataclass
class SlowItemSelector(SlowSelector):
    """The same for a metric that counts items; answers are their words, as often as they occur.

    Attributes:
        items: What counts of a word.
    """

    items: Callable[[str], Sequence[str]] = lambda word: (word,)

    def vote(self, ballots: dict[int, list[Words]]) -> list[Words]:
        best, height = -1, -math.inf
        for g in sorted(ballots):
            mean = self.mean_of(ballots[g])
            if mean > height + SAME:
                best, height = g, mean
        if len(ballots) < 3:
            return ballots[best]
        order = [best, *(g for g in sorted(ballots) if g != best)]
        answers = []
        for q, preferred in enumerate(ballots[best]):
            votes = Counter(word for g in ballots for word in set(ballots[g][q]))
            answer: list[str] = []
            for word, count in votes.items():
                if 2 * count > len(ballots) or (2 * count == len(ballots) and word in preferred):
                    first = next(ballots[g][q] for g in order if word in ballots[g][q])
                    answer += [word] * first.count(word)
            answers.append(tuple(answer) or preferred)
        return answers

    def scores_of(self, answers: list[Words]) -> list[float]:
        return [
            max(self.f1(answer, words) for words in references)
            for answer, references in zip(answers, self.references, strict=True)
        ]

    def f1(self, answer: Words, reference: Words) -> float:
        one = Counter(item for word in answer for item in self.items(word))
        other = Counter(item for word in reference for item in self.items(word))
        if not one or not other:
            return float(one == other)
        return 2 * (one & other).total() / (one.total() + other.total())

    def away(self, one: int, other: int) -> float:
        pairs = zip(self.answers[one], self.answers[other], strict=True)
        return 1 - sum(overlap(set(a), set(b)) for a, b in pairs) / len(self.references)


def overlap(one: Words, other: Words) -> float:
    if not one and not other:
        return 1.0
    common = len(one & other)
    return common / (len(one) + len(other) - common)
