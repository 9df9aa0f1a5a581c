"""Which of the compared ensembles wins by which rule, and the sentence that says so."""

import math
from collections.abc import Sequence

from autoqa.ensemble.choosing.bagging import Bags
from autoqa.ensemble.choosing.selection import Alternative, DecisionRule, EnsembleKind
from autoqa.ensemble.evaluation.evaluator import SAME

_WORDS: dict[EnsembleKind, str] = {
    "single": "the best single candidate",
    "best-per-group": "the best candidate of each group",
    "top-k": "the candidates that are best alone",
    "soup": "the average of the most candidates' weights",
    "comparable": "comparable candidates with equal weight",
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


def by_shrinkage(alternatives: Sequence[Alternative]) -> EnsembleKind:
    """The highest posterior mean less the price; of equals fewer models, then the simpler."""
    able = [other for other in alternatives if other.allowed and other.posterior is not None]
    able.sort(key=lambda other: len(other.members))
    winner, height = able[0], _value(able[0])
    for other in able[1:]:
        if _value(other) > height + SAME:
            winner, height = other, _value(other)
    return winner.kind


def verdict(winner: Alternative, alternatives: Sequence[Alternative], rule: DecisionRule) -> str:
    """Why the rule chose it, in a sentence."""
    if winner.posterior is not None:
        return _verdict_on_posteriors(winner, alternatives)
    rivals = [other for other in alternatives if other.gain is not None and other.allowed]
    if winner.gain is not None:
        why = (
            f"Out of bag the gain of {_WORDS[winner.kind]} on the best single candidate is "
            f"{_gain(winner)}"
        )
    elif rivals:
        rival = max(rivals, key=lambda other: other.gain.gain if other.gain else 0.0)
        why = (
            f"The best single candidate stays: out of bag the most that a larger ensemble gains is "
            f"{_gain(rival)}, by {_WORDS[rival.kind]}"
        )
    else:
        return "The best single candidate stays: there is nothing to compare it with."
    return f"{why}; rule {rule!r}."


def _verdict_on_posteriors(winner: Alternative, alternatives: Sequence[Alternative]) -> str:
    """The winner beside the default, or the default beside what comes nearest to it."""
    rivals = [
        other
        for other in alternatives
        if other.allowed and other.posterior is not None and other.posterior.prior_deviation > 0
    ]
    default = next(other for other in alternatives if other.kind == "comparable")
    if not rivals:
        why = f"{_WORDS[winner.kind].capitalize()}: there is nothing to compare it with"
    elif winner in rivals:
        why = (
            f"{_WORDS[winner.kind].capitalize()}, instead of comparable candidates with equal "
            f"weight: {_expected(winner)}"
        )
    else:
        rival = max(rivals, key=_value)
        why = f"{_default(default)}: of {_WORDS[rival.kind]}, the nearest, {_expected(rival)}"
    return f"{why}; rule 'shrinkage'."


def _default(default: Alternative) -> str:
    if len(default.members) == 1:
        return "The best single candidate, the only comparable one that a vote would hear"
    return _WORDS["comparable"].capitalize()


def _expected(other: Alternative) -> str:
    known = other.posterior
    assert known is not None
    seen = (
        "no document without a say"
        if known.observed is None
        else f"{known.observed:+.3f} ± {known.error:.3f} out of bag"
    )
    return (
        f"{known.mean:+.3f} ± {known.deviation:.3f} is expected against them ({known.prior:+.3f} ± "
        f"{known.prior_deviation:.3f} beforehand, {seen}), at a price of {known.price:.4f}"
    )


def _value(other: Alternative) -> float:
    return other.posterior.value if other.posterior is not None else -math.inf


def _gain(other: Alternative) -> str:
    gain = other.gain
    return f"{gain.gain:+.3f} (95 % {gain.low:+.3f} to {gain.high:+.3f})" if gain else "nothing"
