import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoqa.ensemble.choosing.decision_rules import by_shrinkage
from autoqa.ensemble.choosing.selection import WITH_COMPARABLE, Alternative, Selection
from autoqa.ensemble.choosing.selector import EnsembleLimits, Selector
from autoqa.ensemble.choosing.shrinkage import (
    AVERAGING_DEVIATION,
    AVERAGING_SHARE,
    MEMBER_PRICE,
    SPREAD,
    TIME_PRICE,
    Difference,
    Pool,
    difference,
    price,
)
from autoqa.scores.bootstrap import Interval
from tests.ensemble.choosing.pools import Kind, make_pool

LOW, HIGH = SPREAD


def chosen(part, rule="shrinkage", seed=0, **limits):
    limits = EnsembleLimits(**{"seats": len(part.candidates), **limits})
    return Selector(part.candidates, part.windows, part.examples, limits, seed=seed).select(rule)


def by_kind(selection):
    return {other.kind: other for other in selection.alternatives}


def documents(count, each=10):
    return [f"d{number // each}" for number in range(count * each)]


def test_a_difference_by_hand():
    """Two documents of two questions: sums of deviations are 1 and -1, so 2 (1 + 1) / 4^2 = 1/4."""
    found = difference(np.array([1.0, 1.0, 0.0, 0.0]), ["a", "a", "b", "b"])
    question = (4 * 0.5**2 + 0.43**2) / 4
    planned = question * (1 + (2 - 1) * 0.05) / 4
    assert found.mean == 0.5
    assert found.degrees == 4 + 1
    assert found.error**2 == pytest.approx((4 * planned + 1 * 0.25) / 5)
    assert found.variance == pytest.approx(found.error**2 * 5 / 3)


def test_a_posterior_by_hand():
    """Two candidates of equal public scores: one of them against their mean.

    They share their rank, so neither promises more; the single one lacks the mean's ambiguity of
    .3 / 2. Its skill deviates by half a candidate's, as does that of the other.
    """
    alone = np.tile([1.0, 0.0], (2, 20))
    pool = Pool(alone, documents(4))
    assert pool.comparable == [0, 1]
    assert pool.skills == pytest.approx([0, 0])
    assert pool.deviation == LOW
    moved = np.array([0.5, -0.5])
    seen = Difference(0.02, 0.03, 6)
    found = pool.posterior(moved, -0.15, seen, price=0.001)
    assert found.prior == pytest.approx(-0.15 * AVERAGING_SHARE)
    variance = LOW**2 * (1 - pool.reliability**2) * 0.5 + (0.15 * AVERAGING_DEVIATION) ** 2
    assert found.prior_deviation == pytest.approx(math.sqrt(variance))
    noise = 0.03**2 * 6 / 4
    precision = 1 / variance + 1 / noise
    assert found.mean == pytest.approx((found.prior / variance + 0.02 / noise) / precision)
    assert found.deviation == pytest.approx(precision**-0.5)
    assert found.error == pytest.approx(math.sqrt(noise))
    assert found.value == found.mean - 0.001


def test_the_price_by_hand():
    assert price(3, 60.0, 10.0) == pytest.approx(3 * MEMBER_PRICE + 6 * TIME_PRICE)
    for average in (0.0, math.nan, math.inf):  # times that nobody measured
        assert price(3, 0.0, average) == pytest.approx(3 * (MEMBER_PRICE + TIME_PRICE))
    assert price(8, 80.0, 10.0) < 0.005  # what it may cost against the equal mean at most


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    prior=st.floats(-0.1, 0.1),
    observed=st.floats(-0.5, 0.5),
    error=st.floats(0.001, 0.5),
)
def test_a_posterior_lies_between_prior_and_evidence(seed, prior, observed, error):
    rng = np.random.default_rng(seed)
    alone = rng.integers(0, 2, (4, 60)).astype(float)
    pool = Pool(alone, documents(6))
    moved, further = np.array([0.75, -0.25, -0.25, -0.25]), prior / AVERAGING_SHARE
    found = pool.posterior(moved, further, Difference(observed, error, 9), 0.0)
    low, high = sorted((found.prior, observed))
    assert low - 1e-12 <= found.mean <= high + 1e-12
    assert found.deviation <= min(found.prior_deviation, found.error) + 1e-12
    surer = pool.posterior(moved, further, Difference(observed, error / 2, 9), 0.0)
    assert abs(surer.mean - observed) <= abs(found.mean - observed) + 1e-12
    nothing = pool.posterior(moved, further, None, 0.0)
    assert (nothing.mean, nothing.deviation) == (nothing.prior, nothing.prior_deviation)
    assert LOW <= pool.deviation <= HIGH
    assert 0 <= pool.reliability < 1


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(5)), count=st.integers(1, 30))
@example(seed=14, order=[1, 2, 0, 3, 4], count=14)  # two candidates lead with equal scores
def test_the_order_of_candidates_does_not_matter_to_the_pool(seed, order, count):
    rng = np.random.default_rng(seed)
    alone = (rng.random((5, count * 10)) < rng.uniform(0.1, 0.9, (5, 1))).astype(float)
    first, second = Pool(alone, documents(count)), Pool(alone[list(order)], documents(count))
    assert sorted(order[i] for i in second.comparable) == first.comparable
    assert second.deviation == pytest.approx(first.deviation)
    assert second.skills == pytest.approx(first.skills[list(order)])


def test_skills_follow_public_scores_and_never_promise_more_than_they_show():
    rng = np.random.default_rng(0)
    alone = (rng.random((6, 900)) < np.linspace(0.5, 0.7, 6)[:, None]).astype(float)
    pool = Pool(alone, documents(90))
    means = alone.mean(axis=1)
    assert (np.argsort(pool.skills) == np.argsort(means)).all()
    assert np.ptp(pool.skills) < np.ptp(means)
    assert pool.reliability > 0.8


@given(
    values=st.lists(st.floats(-0.1, 0.1), min_size=6, max_size=6),
    models=st.permutations([1, 2, 3, 4, 5, 6]),
)
def test_the_highest_value_wins_and_ties_go_to_fewer_models(values, models):
    def alternatives(means):
        return [
            Alternative(
                kind=kind,
                members=tuple((f"c{i}", 1) for i in range(count)),
                tie_group="g",
                public=Interval(0.5, 0.4, 0.6),
                out_of_bag=0.5,
                gain=None,
                seconds=float(count),
                allowed=kind != "all-equal",
                posterior=dataclasses.replace(nothing, mean=mean),
            )
            for kind, count, mean in zip(kinds, (*models, 7), (*means, 9.0), strict=True)
        ]

    kinds = (*(kind for kind in WITH_COMPARABLE if kind != "all-equal"), "all-equal")
    nothing = Pool(np.ones((1, 10)), documents(1)).posterior(np.zeros(1), 0.0, None, 0.0)
    known = {other.kind: other for other in alternatives(values) if other.allowed}
    winner = known[by_shrinkage(list(known.values()))]
    height = max(other.posterior.value for other in known.values())
    assert winner.posterior.value == pytest.approx(height, abs=1e-11)
    equal = {other.kind: other for other in alternatives([0.0] * 6)}
    assert len(equal[by_shrinkage(list(equal.values()))].members) == min(
        len(other.members) for other in equal.values() if other.allowed
    )


@pytest.mark.parametrize("seed", range(6))
def test_with_one_document_the_equal_mean_wins(seed):
    (public,) = make_pool(Kind(), [1], seed)
    found = chosen(public)
    assert {seat.id for seat in found.members} == {each.id for each in public.candidates}
    assert all(seat.weight == 1 for seat in found.members)
    assert all(other.posterior.observed is None for other in found.alternatives)
    assert "no document without a say" in found.verdict
    assert found.verdict.startswith("Comparable candidates with equal weight: of ")
    assert Selection.from_json(found.to_json()) == found


@pytest.mark.parametrize("seed", range(3))
def test_with_overwhelming_evidence_it_takes_what_the_mean_takes(seed):
    (public,) = make_pool(Kind(skill=0.8), [200], seed)
    shrunk, mean = chosen(public), chosen(public, "mean")
    heights = {other.kind: other.out_of_bag for other in shrunk.alternatives}
    dearer = heights[mean.chosen] - heights[shrunk.chosen]
    assert shrunk.chosen == mean.chosen or 0 < dearer < 0.002  # no more than models may cost
    assert "instead of comparable candidates with equal weight: +0." in shrunk.verdict
    assert heights[shrunk.chosen] > heights["all-equal"] + 0.01


def test_among_copies_one_model_is_enough():
    (public,) = make_pool(Kind(recipes=2, snapshots=1), [5], 0)
    first = public.candidates[0]
    copies = [dataclasses.replace(first, id=f"copy{i}", seconds=9.0 - i) for i in range(4)]
    found = chosen(dataclasses.replace(public, candidates=copies))
    assert [seat.id for seat in found.members] == ["copy3"]  # the cheapest
    single, equal = by_kind(found)["single"].posterior, by_kind(found)["comparable"].posterior
    assert single.mean == pytest.approx(equal.mean, abs=0.002)
    assert equal.price > single.price


@pytest.mark.parametrize("seed", range(4))
def test_a_duplicate_changes_little(seed):
    (public,) = make_pool(Kind(), [7], seed)
    twin = dataclasses.replace(public.candidates[3], id="twin")
    more = dataclasses.replace(public, candidates=[*public.candidates, twin])
    before, after = (by_kind(chosen(part, seed=1)) for part in (public, more))
    for kind in ("single", "greedy"):
        assert after[kind].posterior.mean == pytest.approx(before[kind].posterior.mean, abs=0.015)
    assert chosen(more, seed=1).chosen == chosen(public, seed=1).chosen


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_candidates_does_not_matter(seed):
    (public,) = make_pool(Kind(), [5], seed)
    turned = dataclasses.replace(public, candidates=public.candidates[::-1])
    found, other = chosen(public), chosen(turned)
    assert found.chosen == other.chosen
    assert {seat.id for seat in found.members} == {seat.id for seat in other.members}
    for first, second in zip(found.alternatives, other.alternatives, strict=True):
        assert first.posterior.mean == pytest.approx(second.posterior.mean)


@pytest.mark.parametrize("count", [3, 20])
def test_a_collapsed_run_is_not_in_the_mean(count):
    for seed in range(4):
        (public,) = make_pool(Kind(collapsed=1), [count], seed)
        found = chosen(public)
        last = public.candidates[-1].id
        assert last not in {name for name, _ in by_kind(found)["comparable"].members}
        assert last not in {seat.id for seat in found.members}
        assert any("Not comparable" in note and last in note for note in found.notes)


def test_one_voice_of_each_recipe_comes_first():
    (public,) = make_pool(Kind(), [3], 0)
    found = chosen(public, seats=5)
    equal, recipes = by_kind(found)["comparable"], {c.id: c.recipe for c in public.candidates}
    assert equal.allowed
    assert {recipes[name] for name, _ in equal.members} == {"r0", "r1", "r2", "r3"}
    allowed = "Comparable candidates: 8, of which the limits of the selection allow 5"
    assert any(allowed in note for note in found.notes)


def test_of_two_groups_only_the_better_is_in_the_mean():
    (public,) = make_pool(Kind(recipes=4, snapshots=1, groups=2), [3], 0)
    groups = {each.id: each.group for each in public.candidates}
    found = chosen(public)
    assert len({groups[name] for name, _ in by_kind(found)["comparable"].members}) == 1
    (three,) = make_pool(Kind(recipes=6, snapshots=1, groups=3), [3], 0)
    assert len(by_kind(chosen(three))["comparable"].members) == 6


def test_other_rules_know_nothing_of_it():
    (public,) = make_pool(Kind(recipes=2), [3], 0)
    for rule in ("interval", "mean"):
        found = chosen(public, rule)
        assert set(found.by_rule) == {"interval", "mean"}
        assert "comparable" not in by_kind(found)
        assert "posterior" not in found.to_json()
    assert set(chosen(public).by_rule) == {"interval", "mean", "shrinkage"}


def test_a_candidate_alone():
    (public,) = make_pool(Kind(recipes=1, snapshots=1), [3], 0)
    found = chosen(public)
    assert (found.chosen, len(found.members)) == ("single", 1)
    assert "there is nothing to compare it with" in found.verdict


def test_times_that_are_not_known():
    (public,) = make_pool(Kind(recipes=2), [3], 0)
    unknown = [dataclasses.replace(each, seconds=math.nan) for each in public.candidates]
    found = chosen(dataclasses.replace(public, candidates=unknown))
    assert all(math.isfinite(other.posterior.price) for other in found.alternatives)


@pytest.mark.parametrize("count", [3, 7])
def test_it_is_better_than_the_interval_and_near_the_equal_mean(count):
    """The benchmark ``bench_selection_prior.py`` has more pools, kinds and documents."""
    gains, below = [], []
    for seed in range(12):
        public, truth = make_pool(Kind(), [count, 40], 1000 + seed)
        shrunk, interval = chosen(public, seed=seed), chosen(public, "interval", seed=seed)
        every = [(each.id, 1.0) for each in truth.candidates]
        gains.append(truth.worth(shrunk) - truth.worth(interval))
        below.append(truth.worth(shrunk) - truth.jaccard(every, "g0"))
    assert np.mean(gains) > 0.005
    assert np.mean(below) > -0.005
