"""Which of the compared ensembles wins by which rule, and the sentence that says so."""

from collections.abc import Sequence

from autoqa.ensemble.choosing.bagging import Bags
from autoqa.ensemble.choosing.selection import Alternative, DecisionRule, EnsembleKind
from autoqa.ensemble.evaluation.evaluator import SAME

_WORDS: dict[EnsembleKind, str] = {
    "single": "the best single candidate",
    "best-per-group": "the best candidate of each group",
    "top-k": "the candidates that are best alone",
    "all-equal": "all candidates with equal weight",
    "greedy": "the greedy selection",
}


def by_interval(alternatives: Sequence[Alternative], bags: Bags) -> EnsembleKind:
    """The simpler wins unless the interval of the gain on it excludes zero."""
    winner = alternatives[0].kind
    for other in alternatives[1:]:
        gain = bags.gain(other.kind, winner)
        if other.allowed and gain is not None and gain.low > 0:
            winner = other.kind
    return winner


def by_mean(alternatives: Sequence[Alternative]) -> EnsembleKind:
    """The highest out-of-bag mean; the simpler of equals."""
    single = alternatives[0]
    winner, height = single, single.out_of_bag
    for other in alternatives[1:]:
        if other.out_of_bag is None or height is None or not other.allowed:
            continue
        if other.out_of_bag > height + SAME and other.public.mean >= single.public.mean:
            winner, height = other, other.out_of_bag
    return winner.kind


def verdict(winner: Alternative, alternatives: Sequence[Alternative], rule: DecisionRule) -> str:
    """Why the rule chose it, in a sentence."""
    rivals = [other for other in alternatives if other.gain is not None and other.allowed]
    if winner.gain is not None:
        why = f"Out of bag {_WORDS[winner.kind]} gains {_gain(winner)} on the best single candidate"
    elif rivals:
        rival = max(rivals, key=lambda other: other.gain.gain if other.gain else 0.0)
        why = (
            f"The best single candidate stays: out of bag the most that a larger ensemble gains is "
            f"{_gain(rival)}, by {_WORDS[rival.kind]}"
        )
    else:
        return "The best single candidate stays: there is nothing to compare it with."
    return f"{why}; rule {rule!r}."


def _gain(other: Alternative) -> str:
    gain = other.gain
    return f"{gain.gain:+.3f} (95 % {gain.low:+.3f} to {gain.high:+.3f})" if gain else "nothing"
