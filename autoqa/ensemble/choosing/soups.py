"""Averages of weights among the contenders, and what they are averages of."""

from collections.abc import Mapping, Sequence

from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator


def found_soups(contenders: Sequence[Contender]) -> dict[int, list[int]]:
    """Soups all of whose ingredients are contenders, too: positions of both."""
    place = {each.id: i for i, each in enumerate(contenders)}
    return {
        i: [place[name] for name in each.ingredients]
        for i, each in enumerate(contenders)
        if each.ingredients and all(name in place for name in each.ingredients)
    }


def widest(soups: Mapping[int, Sequence[int]], evaluator: Evaluator, best: int) -> int | None:
    """The soup of most ingredients in a contender's group, the first of equals.

    Which soup it is depends on no score, so that none is taken for its luck.

    Args:
        soups: What :func:`found_soups` gives.
        evaluator: Of the contenders.
        best: The best contender that is no soup.
    """
    group = evaluator.group_of[best]
    own = [i for i in soups if evaluator.group_of[i] == group]
    return max(own, key=lambda i: len(soups[i]), default=None)
