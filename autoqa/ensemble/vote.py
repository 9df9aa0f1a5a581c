"""One answer out of several groups' answers, word by word."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from autoqa.text.words import jaccard
from autoqa.types import Span

_Place = tuple[int, int, str]
"""First and one-past-last character in the context, and the lower-cased word."""


def vote(answers: Sequence[Span], context: str, best: int = 0) -> Span:
    """Keeps the words that the strict majority of the groups has in its answer.

    Words are compared as the metric does it (lower-cased, cut at white space). A word with
    exactly half of the votes stays if the best group has it, so two groups always give the
    answer of the better one. If no word stays, the best group's answer stands.

    A kept word stays everywhere it occurs in the first answer that has it, the best group's asked
    first, then the others in order. Words keep the order of the context. Where only white space
    lies between them, the text is cut from the context as it is (``context[start:end] == text``);
    else the words are joined by spaces, and start and end reach from the first to the last.

    Args:
        answers: One answer per group, all of them fragments of the context.
        context: The context.
        best: Which of the answers is the best group's.

    Returns:
        The joint answer; its score is the mean of the groups' scores.
    """
    if not 0 <= best < len(answers):
        raise ValueError(f"best is {best}, but there are {len(answers)} answers")
    placed = [_places(answer) for answer in answers]
    votes = Counter(word for places in placed for word in {word for _, _, word in places})
    preferred = {word for _, _, word in placed[best]}
    kept = {
        word
        for word, count in votes.items()
        if 2 * count > len(answers) or (2 * count == len(answers) and word in preferred)
    }
    if not kept:
        return answers[best]
    chosen: list[_Place] = []
    for places in [placed[best], *placed[:best], *placed[best + 1 :]]:
        found = [place for place in places if place[2] in kept]
        chosen += found
        kept -= {word for _, _, word in found}
    chosen.sort()
    start, end = chosen[0][0], max(place[1] for place in chosen)
    score = float(np.mean([answer.score for answer in answers]))
    return Span(start, end, score, _text(chosen, context))


def disagreement(first: Sequence[Span], second: Sequence[Span]) -> float:
    """How different two models' answers are: mean of 1 - word-level Jaccard, 0 to 1."""
    pairs = list(zip(first, second, strict=True))
    return 1.0 - float(np.mean([jaccard(a.text, b.text) for a, b in pairs])) if pairs else 0.0


def _places(answer: Span) -> list[_Place]:
    places, at = [], 0
    for word in answer.text.split():
        at = answer.text.index(word, at)
        low = answer.start + at
        at += len(word)
        places.append((low, low + len(word), word.lower()))
    return places


def _text(chosen: Sequence[_Place], context: str) -> str:
    gaps = [context[before[1] : after[0]] for before, after in pairwise(chosen)]
    if all(gap.isspace() for gap in gaps):
        return context[chosen[0][0] : chosen[-1][1]]
    return " ".join(context[low:high] for low, high, _ in chosen)
