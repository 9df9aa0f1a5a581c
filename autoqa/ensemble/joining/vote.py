"""One answer out of several voters' answers, word by word."""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from autoqa.text.segmentation import cut, parts, separator
from autoqa.types import Segmentation, Span, VoteBy

_NONE = "no answer"
"""What an empty answer votes for. No word can be equal to it, for it holds a space."""


class WordVotes(NamedTuple):
    """What became of one word in a vote.

    Attributes:
        word: The word, lower-cased; empty for no answer at all.
        voters: Which of the answers have it, by position.
        votes: Their seats.
        kept: Whether it stays.
    """

    word: str
    voters: tuple[int, ...]
    votes: float
    kept: bool


class _Place(NamedTuple):
    """A word of an answer: its first and one-past-last character in the context, lower-cased."""

    low: int
    high: int
    word: str


def vote(
    answers: Sequence[Span],
    context: str,
    best: int = 0,
    *,
    seats: Sequence[float] | None = None,
    words: VoteBy = "set",
    segmentation: Segmentation = "words",
) -> Span:
    """Keeps the words that the strict majority of the voters has in its answer.

    Words are cut as the metric does it, and compared in lower case. A word with exactly half of the
    votes stays if the best voter has it, so two equal voters always give the answer of the better
    one. If no word stays, the best voter's answer stands. An empty answer is a vote for no answer,
    which counts as a word does; no word can stay beside it.

    By ``set``, a word is the same wherever it stands. A kept word stays everywhere it occurs in
    the first answer that has it, the best voter's asked first, then the others in order. By
    ``position``, the same word at two places of the context is two: what is kept are places, each
    of which the majority has. They never overlap, because two majorities have a voter in common.

    Words keep the order of the context. Where only white space lies between them, the text is cut
    from the context as it is (``context[start:end] == text``); else the words are joined by
    spaces, which scripts without spaces do without
    (:func:`autoqa.text.segmentation.separator`), and start and end reach from the first to the
    last.

    Args:
        answers: One answer per voter, all of them fragments of the context.
        context: The context.
        best: Which of the answers is the best voter's.
        seats: How many votes each voter has, above 0; left out, one each.
        words: What is voted on.
        segmentation: Where answers are cut into words.

    Returns:
        The joint answer; its score is the mean of the voters' scores, weighted by seats.

    Raises:
        ValueError: ``best`` is none of the voters, or there is not one seat count for each.
    """
    weights = _weights(len(answers), best, seats)
    placed = [_places(answer, segmentation) for answer in answers]
    items = [{_item(place, words) for place in places} or {_NONE} for places in placed]
    unplaced = _majority(items, weights, best)
    if not unplaced:
        return answers[best]
    score = float(np.average([answer.score for answer in answers], weights=weights))
    if _NONE in unplaced:
        return Span(0, 0, score, "")
    chosen: list[_Place] = []
    for places in [placed[best], *placed[:best], *placed[best + 1 :]]:
        majority_places = [place for place in places if _item(place, words) in unplaced]
        chosen += majority_places
        unplaced -= {_item(place, words) for place in majority_places}
    chosen.sort()
    start, end = chosen[0].low, max(place.high for place in chosen)
    return Span(start, end, score, _text(chosen, context, segmentation))


def word_votes(
    answers: Sequence[Span],
    best: int = 0,
    *,
    seats: Sequence[float] | None = None,
    words: VoteBy = "set",
    segmentation: Segmentation = "words",
) -> list[WordVotes]:
    """Who has which word, and which words :func:`vote` keeps, in the order of the context.

    Where it keeps none, because no word has a majority, the best voter's answer stands.

    Args:
        answers: As of :func:`vote`, like all that follows.
        best: The best voter.
        seats: Votes of each.
        words: What is voted on.
        segmentation: Where answers are cut.

    Raises:
        ValueError: As :func:`vote`.
    """
    weights = _weights(len(answers), best, seats)
    placed = [_places(answer, segmentation) for answer in answers]
    items = [{_item(place, words) for place in places} or {_NONE} for places in placed]
    kept = _majority(items, weights, best)
    first = {_item(place, words): place for places in placed for place in reversed(places)}
    ordered: list[Hashable] = sorted(first, key=first.__getitem__)
    if any(_NONE in each for each in items):
        ordered.append(_NONE)
    return [
        WordVotes(
            word=first[item].word if item in first else "",
            voters=voters,
            votes=sum(weights[voter] for voter in voters),
            kept=item in kept,
        )
        for item in ordered
        for voters in (tuple(n for n, each in enumerate(items) if item in each),)
    ]


def _weights(voters: int, best: int, seats: Sequence[float] | None) -> list[float]:
    if not 0 <= best < voters:
        raise ValueError(f"best is {best}, but there are {voters} answers")
    weights = [1.0] * voters if seats is None else list(seats)
    if len(weights) != voters or not all(weight > 0 for weight in weights):
        raise ValueError(f"seats {weights} for {voters} answers: one above 0 for each")
    return weights


def _item(place: _Place, words: VoteBy) -> Hashable:
    return place.word if words == "set" else place


def _majority(items: Sequence[set[Hashable]], weights: Sequence[float], best: int) -> set[Hashable]:
    votes: dict[Hashable, float] = {}
    for voter_items, weight in zip(items, weights, strict=True):
        for item in voter_items:
            votes[item] = votes.get(item, 0.0) + weight
    total = sum(weights)
    return {
        item
        for item, count in votes.items()
        if 2 * count > total or (2 * count == total and item in items[best])
    }


def _places(answer: Span, segmentation: Segmentation) -> list[_Place]:
    return [
        _Place(answer.start + low, answer.start + high, answer.text[low:high].lower())
        for low, high in cut(answer.text, segmentation)
    ]


def _text(chosen: Sequence[_Place], context: str, segmentation: Segmentation) -> str:
    texts = [context[place.low : place.high] for place in chosen]
    gaps = [context[before.high : after.low] for before, after in pairwise(chosen)]
    touch = [before.high == after.low for before, after in pairwise(chosen)]
    whole = [
        gap.isspace() or (touches and parts(before, after, segmentation))
        for gap, touches, (before, after) in zip(gaps, touch, pairwise(texts), strict=True)
    ]
    if all(whole):
        return context[chosen[0].low : chosen[-1].high]
    between = [
        separator(before, gap, after, segmentation)
        for gap, (before, after) in zip(gaps, pairwise(texts), strict=True)
    ]
    return "".join(part for pair in zip(texts, [*between, ""], strict=True) for part in pair)
