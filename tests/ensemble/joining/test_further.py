"""The further answers are those of an exhaustive search over every span of every voter."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import best_spans
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.further import further_answers
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.text.rules import RULES
from autoqa.text.words import words
from tests.decoding.making import cut
from tests.ensemble.making import questions


@dataclass
class Row:
    context: str
    language: str = ""


def stored(seed, count, spread, longest=30):
    rng = np.random.default_rng(seed)
    examples, offsets, _ = questions(rng, count, longest)
    contexts = [example.context for example in examples]
    windows = {
        name: replace(cut(offsets, room, stride), max_answer_tokens=most)
        for name, room, stride, most in (("a", 20, 5, 6), ("b", 30, 8, 6), ("c", 12, 0, 6))
    }
    logits = {
        name + str(i): tuple(rng.normal(0, spread, (2, w.bounds[-1])).astype(np.float32))
        for name, w in windows.items()
        for i in range(2)
    }
    return [Row(context) for context in contexts], windows, logits


MEMBERS = [Member("a0", "a", 2), Member("c0", "c"), Member("a1", "a"), Member("b1", "b", 2)]


def exhaustive(plan, logits, windows, rows, given_spans, count):
    """Every span of every voter, by its mean probability, taken greedily."""
    contexts = [row.context for row in rows]
    voters = []
    for group, members in plan.groups.items():
        pairs, weights = [logits[m.id] for m in members], [m.weight for m in members]
        if plan.aggregator == "vote":
            voters.append((1.0, group, blend(pairs, weights)))
        else:
            voters += [(w, group, pair) for w, pair in zip(weights, pairs, strict=True)]
    total = sum(seats for seats, _, _ in voters)
    means = [{} for _ in rows]
    for seats, group, pair in voters:
        for mean, spans in zip(
            means, best_spans(*pair, windows[group], contexts, 100_000), strict=True
        ):
            for span in spans:
                place = span.start, span.end
                mean[place] = mean.get(place, 0.0) + span.score * seats / total
    found = []
    for row, mean, first in zip(rows, means, given_spans, strict=True):
        taken, said = [(first.start, first.end)], {tuple(words(first.text))}
        scores = []
        for (a, b), score in sorted(mean.items(), key=lambda item: -item[1]):
            says = tuple(words(row.context[a:b]))
            apart = all(b <= c or d <= a for c, d in taken)
            if len(taken) <= count and says not in said and apart:
                taken.append((a, b))
                said.add(says)
                scores.append(min(score, first.score, *scores[-1:]))
        found.append((taken[1:], scores))
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["vote", "vote-only"]),
    st.integers(1, 6),
    st.sampled_from([0.5, 2.0, 6.0]),
)
def test_further_answers_are_the_best_distinct_spans(seed, aggregator, count, spread):
    rows, windows, logits = stored(seed, 4, spread)
    plan = EnsemblePlan(MEMBERS, "a", aggregator)
    given_spans = aggregate(plan, logits, windows, [row.context for row in rows])
    found = further_answers(plan, logits, windows, rows, given_spans, count)
    expected = exhaustive(plan, logits, windows, rows, given_spans, count)
    for spans, (places, scores) in zip(found, expected, strict=True):
        assert [(span.start, span.end) for span in spans] == places
        np.testing.assert_allclose([span.score for span in spans], scores, rtol=1e-4)


@pytest.mark.parametrize("aggregator", ["vote", "vote-only", "characters"])
def test_answers_are_distinct_and_never_rise(aggregator):
    rows, windows, logits = stored(1, 30, 4.0)
    plan = EnsemblePlan(MEMBERS, "a", aggregator)
    first = aggregate(plan, logits, windows, [row.context for row in rows])
    for row, best, spans in zip(
        rows, first, further_answers(plan, logits, windows, rows, first, 4), strict=True
    ):
        everything = [span for span in (best, *spans) if span.text]
        assert all(row.context[s.start : s.end] == s.text for s in spans)
        ordered = sorted(everything, key=lambda s: s.start)
        assert all(one.end <= other.start for one, other in pairwise(ordered))
        assert len({tuple(words(s.text)) for s in everything}) == len(everything)
        scores = [span.score for span in everything]
        assert scores == sorted(scores, reverse=True)
        assert len(spans) == 4 or len(row.context.split()) < 15


def test_one_model_lists_what_its_decoder_lists():
    rows, windows, logits = stored(2, 20, 4.0)
    plan = EnsemblePlan([Member("b0", "b")], "b")
    contexts = [row.context for row in rows]
    first = aggregate(plan, logits, windows, contexts)
    found = further_answers(plan, logits, windows, rows, first, 1)
    for spans, listed, best in zip(
        found, best_spans(*logits["b0"], windows["b"], contexts, 5000), first, strict=True
    ):
        said = tuple(words(best.text))
        apart = [
            span
            for span in listed
            if (span.end <= best.start or best.end <= span.start)
            and tuple(words(span.text)) != said
        ]
        assert [span[:2] for span in spans] == [span[:2] for span in apart[:1]]


def test_rules_hold_for_further_answers_too():
    rows, windows, logits = stored(3, 10, 4.0)
    rows = [Row(row.context.replace("x", ","), "hi") for row in rows]
    plan = EnsemblePlan(MEMBERS, "a", rules={"hi": ("punctuation",)})
    first = aggregate(plan, logits, windows, [row.context for row in rows])
    for row, spans in zip(
        rows, further_answers(plan, logits, windows, rows, first, 3), strict=True
    ):
        assert [RULES["punctuation"].apply(span, row.context) for span in spans] == spans
