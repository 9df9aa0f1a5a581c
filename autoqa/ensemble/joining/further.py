"""The k best answers of a whole ensemble: what comes after the one that is given.

Every voter (see :mod:`autoqa.ensemble.joining.aggregate`) lists its best spans. All of them are
candidates, and a candidate's score is the mean over voters, weighted by seats, of its probability:
also of those voters that do not list it. With ``characters`` it is P(start) * P(end) of the joint
distributions. Candidates are taken from the best on, leaving out what overlaps with an answer that
was taken, or has the same words in lower case.

Lists grow until no span outside of them could have been taken: its mean is no higher than that of
the voters' last listed ones (the threshold algorithm of Fagin, Lotem and Naor, Optimal aggregation
algorithms for middleware, 2003). Lists of :data:`_LONGEST` spans end this, where tails are flat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.fragments import Fragments, log_probabilities
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.characters import (
    GroupLogits,
    character_distributions,
    context_begins,
)
from autoqa.ensemble.joining.join import ContextRow
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.text.distinct import DistinctAnswers
from autoqa.text.rules import apply_rules
from autoqa.types import Span

_FIRST, _GROWTH, _LONGEST = 16, 4, 1024
"""Spans that a voter lists for each answer that is asked for, how much longer a list becomes that
was too short, and the longest list."""


def further_answers(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    rows: Sequence[ContextRow],
    given: Sequence[Span],
    count: int,
) -> list[list[Span]]:
    """The best answers to every question after the given one, best first.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all rows by group.
        rows: What was asked.
        given: The ensemble's answer to each row, as :func:`autoqa.ensemble.joining.join.join`
            makes it.
        count: Most further answers of a row.

    Returns:
        One list per row, shorter where its context holds no more. No score is above that of the
        answer before it.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    contexts = [row.context for row in rows]
    languages = [row.language for row in rows]
    voters = _voters(plan, logits, windows, contexts)
    found: list[list[Span]] = [[] for _ in rows]
    pending, size = list(range(len(rows))), _FIRST * (count + 1)
    while pending:
        candidates = _candidates(voters, size, pending)
        probabilities = _probabilities(plan, logits, windows, voters, contexts, candidates)
        left = []
        for row in pending:
            scores = probabilities[row]
            order = np.argsort(-scores, kind="stable").tolist()
            ranked = [
                Span(a, b, float(scores[at]), contexts[row][a:b])
                for at in order
                for a, b in (candidates.fragments[row][at],)
                if scores[at] > 0
            ]
            clean = apply_rules(
                ranked, [contexts[row]] * len(ranked), [languages[row]] * len(ranked), plan.rules
            )
            found[row] = _following(clean, given[row], count)
            certain = sum(span.score >= candidates.bounds[row] for span in found[row])
            if certain < count and candidates.bounds[row] > 0:
                left.append(row)
        pending, size = left, size * _GROWTH
        if size > _LONGEST:
            break
    return found


@dataclass(frozen=True, slots=True)
class _ListVoter:
    """Whose spans are listed: a group, or one of its members."""

    seats: float
    logits: LogitPair
    windows: WindowsLike
    decoder: SpanDecoder


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Spans of every row, and a bound on the mean of all that are not among them.

    ``listed`` has, for each voter and row, the probabilities of the spans that it lists.
    """

    fragments: Sequence[Fragments]
    bounds: Sequence[float]
    listed: Sequence[Sequence[Mapping[tuple[int, int], float]]]


def _voters(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    contexts: Sequence[str],
) -> list[_ListVoter]:
    voters = []
    for group, members in plan.groups.items():
        decoder = SpanDecoder(windows[group], contexts)
        pairs, weights = [logits[m.id] for m in members], [m.weight for m in members]
        if plan.aggregator == "vote":
            voters.append(_ListVoter(1.0, blend(pairs, weights), windows[group], decoder))
            continue
        voters += [
            _ListVoter(weight, pair, windows[group], decoder)
            for weight, pair in zip(weights, pairs, strict=True)
        ]
    return voters


def _candidates(voters: Sequence[_ListVoter], size: int, pending: Sequence[int]) -> _Candidates:
    """Candidates of the rows that are pending; of others there are none."""
    total = sum(voter.seats for voter in voters)
    count = len(voters[0].decoder.contexts)
    fragments: list[dict[tuple[int, int], None]] = [{} for _ in range(count)]
    bounds = [0.0] * count
    listed = []
    for voter in voters:
        own: list[dict[tuple[int, int], float]] = [{} for _ in range(count)]
        lists = voter.decoder.n_best(*voter.logits, size)
        for row in pending:
            spans = lists[row]
            own[row] = {(span.start, span.end): span.score for span in spans}
            fragments[row].update(dict.fromkeys(own[row]))
            if len(spans) == size:
                bounds[row] += spans[-1].score * voter.seats / total
        listed.append(own)
    return _Candidates([list(each) for each in fragments], bounds, listed)


def _probabilities(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    voters: Sequence[_ListVoter],
    contexts: Sequence[str],
    candidates: _Candidates,
) -> list[Doubles]:
    """The ensemble's probability of every candidate."""
    fragments = candidates.fragments
    if plan.aggregator == "characters":
        groups = [
            GroupLogits(
                windows[group], [logits[m.id] for m in members], [m.weight for m in members]
            )
            for group, members in plan.groups.items()
        ]
        return _joint(groups, contexts, fragments)
    total = sum(voter.seats for voter in voters)
    means = [np.zeros(len(each)) for each in fragments]
    for voter, listed in zip(voters, candidates.listed, strict=True):
        logs = log_probabilities(*voter.logits, voter.windows, fragments)
        for mean, spans, log, own in zip(means, fragments, logs, listed, strict=True):
            # Where tokens are white space, several spans of them are one fragment: the list has
            # the best of these.
            known = np.array([own.get(span, 0.0) for span in spans])
            mean += np.maximum(np.exp(log), known) * (voter.seats / total)
    return means


def _joint(
    groups: Sequence[GroupLogits], contexts: Sequence[str], fragments: Sequence[Fragments]
) -> list[Doubles]:
    """P(start) * P(end) over characters."""
    begin = context_begins(contexts)
    sides = character_distributions(groups, contexts)
    found = []
    for row, spans in enumerate(fragments):
        product = np.ones(len(spans))
        for side, mass in enumerate(sides):
            places = begin[row] + np.array([span[side] for span in spans], np.int64)
            at = np.minimum(np.searchsorted(mass.place, places), max(0, len(mass.place) - 1))
            there = mass.place[at] == places if len(mass.place) else np.zeros(len(spans), bool)
            product = product * np.where(there, mass.value[at] if len(mass.place) else 0.0, 0.0)
        found.append(product)
    return found


def _following(ranked: Sequence[Span], given: Span, count: int) -> list[Span]:
    """The first other spans than the given one and each other, none scored above one before."""
    answers = DistinctAnswers()
    answers.take(given.text, given.start, given.end)
    taken = answers.first(ranked, count, lambda span: (span.text, span.start, span.end, 0))
    scores = np.minimum.accumulate([given.score if given.text else 1.0, *(s.score for s in taken)])
    return [
        span._replace(score=score) for span, score in zip(taken, scores[1:].tolist(), strict=True)
    ]
