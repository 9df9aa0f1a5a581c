from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selector import Selector
from autoqa.ensemble.evaluation.evaluator import Evaluator
from autoqa.ensemble.evaluation.joined_evaluator import (
    SHORTLISTED,
    JoinedEvaluator,
    make_evaluator,
)
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score_by
from tests.ensemble.choosing.pools import Kind, make_pool

WAYS = [("vote", "position"), ("vote-only", "set"), ("vote-only", "position")]
WAYS.append(("characters", "set"))


@pytest.fixture(scope="module")
def part():
    return make_pool(Kind(recipes=7, snapshots=1, groups=2), [4], 0)[0]


def joined(part, seats, leader, aggregator, words):
    seated = [(part.candidates[i], count) for i, count in Counter(seats).items()]
    plan = EnsemblePlan(
        [Member(each.id, each.group, count) for each, count in seated],
        leader,
        aggregator=aggregator,
        words=words,
    )
    contexts = [example.context for example in part.examples]
    logits = {each.id: each.logits for each, _ in seated}
    answers = aggregate(plan, logits, part.windows, contexts)
    return score_by("jaccard", [span.text for span in answers], part.examples)


@pytest.mark.parametrize(("aggregator", "words"), WAYS)
def test_scores_are_those_of_the_answers_that_a_bundle_gives(part, aggregator, words):
    evaluator = make_evaluator(part.candidates, part.windows, part.examples, aggregator, words)
    rng = np.random.default_rng(0)
    weights = np.ones(len(part.examples))
    for _ in range(4):
        seats = tuple(rng.integers(0, 7, rng.integers(1, 6)).tolist())
        leader = evaluator.groups[evaluator.leader(seats, weights)]
        expected = joined(part, sorted(seats), leader, aggregator, words)
        assert evaluator.scores(seats, weights) == pytest.approx(expected)
    assert evaluator.alone[3] == pytest.approx(joined(part, (3,), "g1", aggregator, words))


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_further_seats_are_scored_as_the_study_joins_them(part, seats):
    evaluator = JoinedEvaluator(part.candidates, part.windows, part.examples, "characters", "set")
    weights = np.ones(len(part.examples))
    means = evaluator.additions(tuple(seats), range(7), weights)
    scored = np.flatnonzero(np.isfinite(means)).tolist()
    assert len(scored) == SHORTLISTED
    for option in scored:
        assert means[option] == pytest.approx(evaluator.mean((*seats, option), weights))


def test_the_vote_on_words_keeps_its_fast_way(part):
    found = make_evaluator(part.candidates, part.windows, part.examples, "vote", "set")
    assert type(found) is Evaluator


@pytest.mark.parametrize(("aggregator", "words"), WAYS)
def test_a_selection_states_the_score_of_the_studys_way(part, aggregator, words):
    selection = Selector(
        part.candidates,
        part.windows,
        part.examples,
        EnsembleLimits(seats=7),
        aggregator=aggregator,
        words=words,
    ).select()
    for other in selection.alternatives:
        seats = [
            i
            for i, each in enumerate(part.candidates)
            for _ in range(dict(other.members).get(each.id, 0))
        ]
        expected = joined(part, seats, other.tie_group, aggregator, words)
        assert other.public.mean == pytest.approx(expected.mean())


def test_two_groups_are_both_heard_where_every_model_is(part):
    limits = EnsembleLimits(seats=7)
    field = part.candidates, part.windows, part.examples, limits
    chosen = Selector(*field, aggregator="characters").select()
    mean = next(other for other in chosen.alternatives if other.kind == "comparable")
    assert {name for name, _ in mean.members} == {each.id for each in part.candidates}
    voted = Selector(*field).select()
    mean = next(other for other in voted.alternatives if other.kind == "comparable")
    groups = {each.id: each.group for each in part.candidates}
    assert len({groups[name] for name, _ in mean.members}) == 1
