import dataclasses
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.choosing.selection import ENSEMBLE_KINDS, Selection
from autoqa.ensemble.choosing.selector import Contender, EnsembleLimits, Selector
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.errors import ConfigError, DataError, NothingFeasibleError
from autoqa.scores.metrics import score_by
from tests.ensemble.making import candidate, field, group_windows, questions


def select(candidates, windows, examples, rule="interval", bags=20, seed=0, **limits):
    chosen = Selector(candidates, windows, examples, EnsembleLimits(**limits), bags=bags, seed=seed)
    return chosen.select(rule)


@pytest.fixture(scope="module")
def three_groups():
    return field(0)


def by_kind(selection):
    return {other.kind: other for other in selection.alternatives}


def test_what_it_reports_is_what_aggregate_answers(three_groups):
    examples, windows, candidates = three_groups
    found = select(candidates, windows, examples, rule="mean")
    logits = {c.id: c.logits for c in candidates}
    answers = aggregate(
        EnsemblePlan(
            [Member(seat.id, seat.group, seat.weight) for seat in found.members], found.tie_group
        ),
        logits,
        windows,
        [example.context for example in examples],
    )
    scores = score_by("jaccard", [answer.text for answer in answers], examples)
    assert found.public.mean == pytest.approx(scores.mean())
    assert found.public.low < found.public.mean < found.public.high
    assert found.members[0].group == found.tie_group
    assert [other.kind for other in found.alternatives] == list(ENSEMBLE_KINDS)
    assert found.considered == tuple(c.id for c in candidates)
    assert all("alone 0." in seat.reason and "bags" in seat.reason for seat in found.members)


def test_is_deterministic_and_depends_on_the_seed_only_by_its_bags(three_groups):
    examples, windows, candidates = three_groups
    first = select(candidates, windows, examples, seed=3)
    assert first == select(candidates, windows, examples, seed=3)
    other = by_kind(select(candidates, windows, examples, seed=4))
    assert by_kind(first)["single"].public == other["single"].public
    assert by_kind(first)["greedy"].out_of_bag != other["greedy"].out_of_bag


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    seats=st.integers(1, 6),
    recipe_cap=st.integers(1, 3),
    recipes=st.integers(1, 4),
    groups=st.integers(1, 4),
)
def test_limits_are_kept_and_the_public_score_never_falls(seed, seats, recipe_cap, recipes, groups):
    rng = np.random.default_rng(seed)
    noises = tuple(tuple(rng.uniform(1.5, 4, 2)) for _ in range(groups))
    examples, windows, candidates = field(seed, count=20, noises=noises)
    candidates = [dataclasses.replace(c, recipe=str(i % recipes)) for i, c in enumerate(candidates)]
    found = select(
        candidates, windows, examples, seats=seats, recipe_cap=recipe_cap, rule="mean", bags=5
    )
    greedy, single = by_kind(found)["greedy"], by_kind(found)["single"]
    assert greedy.allowed
    for members in (greedy.members, tuple((s.id, s.weight) for s in found.members)):
        assert 1 <= sum(count for _, count in members) <= seats
        taken = dict.fromkeys(map(str, range(recipes)), 0)
        for name, count in members:
            taken[next(c.recipe for c in candidates if c.id == name)] += count
        assert max(taken.values()) <= recipe_cap
    assert found.public.mean >= single.public.mean
    seated = {name.split("-")[0] for name, _ in greedy.members}
    assert len(seated) != 2  # two groups vote as one: the second would be dead weight
    assert found.tie_group in windows


def test_good_blends_are_found(three_groups):
    examples, windows, candidates = three_groups
    found = select(candidates, windows, examples)
    kinds = by_kind(found)
    assert found.by_rule == {"interval": "top-k", "mean": "greedy"}
    assert kinds["greedy"].public.mean > kinds["best-per-group"].public.mean
    assert kinds["greedy"].gain.low > 0
    assert not kinds["all-equal"].allowed  # seven candidates, five seats
    assert "on the best single candidate is +0." in found.verdict


def test_among_copies_the_single_one_wins(three_groups):
    examples, windows, candidates = three_groups
    copies = [dataclasses.replace(candidates[0], id=f"copy{i}", seconds=9 - i) for i in range(4)]
    for rule in ("interval", "mean"):
        found = select(copies, windows, examples, rule=rule)
        assert found.chosen == "single"
        assert [seat.id for seat in found.members] == ["copy3"]  # the cheapest of equals
        assert "stays" in found.verdict


def test_luck_does_not_win_by_the_interval():
    """Many candidates of equal worth that are all sure and make the same mistakes."""
    rng = np.random.default_rng(0)
    examples, offsets, _ = questions(rng, 60)
    windows = {"g0": group_windows(offsets, 30)}
    base = candidate(rng, "base", "g0", windows["g0"], examples, 3.0)
    pool = [
        Contender(
            f"c{i}", "g0", f"r{i}", tuple(a + rng.normal(0, 0.15, a.shape) for a in base.logits)
        )
        for i in range(10)
    ]
    assert select(pool, windows, examples).chosen == "single"


def test_groups_that_outvote_the_good_one_get_no_seat():
    examples, windows, candidates = field(2, noises=((1.5, 1.6), (2.0,), (2.0,)))
    wrong = []
    for group in ("g1", "g2"):  # both always answer with the first word
        start, end = (np.zeros_like(side) for side in candidates[int(group[1]) + 1].logits)
        for w in range(len(windows[group].example)):
            first = windows[group].bounds[w] + windows[group].context[w, 0]
            if windows[group].offsets[first, 0] == 0:
                start[first] = end[first] = 9
        wrong.append(Contender(f"{group}-wrong", group, group, (start, end)))
    found = select([*candidates[:2], *wrong], windows, examples, rule="mean")
    kinds = by_kind(found)
    assert kinds["best-per-group"].public.mean < kinds["single"].public.mean
    assert {name.split("-")[0] for name, _ in kinds["greedy"].members} == {"g0"}


def test_every_group_keeps_a_seat_where_that_is_not_worse():
    examples, windows, candidates = field(3, noises=((1.9,), (1.9,), (1.9,)))
    found = select(candidates, windows, examples, rule="mean")
    assert found.chosen in ("best-per-group", "all-equal", "greedy")
    assert {seat.group for seat in found.members} == {"g0", "g1", "g2"}


def test_one_candidate_and_one_document():
    examples, windows, candidates = field(4, count=12)
    alone = select(candidates[:1], windows, examples)
    assert (alone.chosen, len(alone.members)) == ("single", 1)
    assert "bags" not in alone.members[0].reason
    same = [dataclasses.replace(example, document="d") for example in examples]
    for rule in ("interval", "mean"):
        found = select(candidates, windows, same, rule=rule)
        assert found.chosen == "single"  # nothing can be left out, so nothing can be shown
        assert found.alternatives[-1].out_of_bag is None
        assert "nothing to compare" in found.verdict
        assert Selection.from_json(found.to_json()) == found


def test_json_and_back(three_groups):
    examples, windows, candidates = three_groups
    found = select(candidates, windows, examples)
    assert Selection.from_json(found.to_json()) == found
    for broken in ("", "[]", "{}", '{"members": 3}', found.to_json().replace("verdict", "x")):
        with pytest.raises(DataError, match="this is no selection"):
            Selection.from_json(broken)


def test_bad_input(three_groups):
    examples, windows, candidates = three_groups
    with pytest.raises(NothingFeasibleError, match="no candidate to select from"):
        select([], windows, examples)
    with pytest.raises(DataError, match="no question to select on"):
        select(candidates, windows, [])
    with pytest.raises(ValueError, match="not unique"):
        select([candidates[0]] * 2, windows, examples)
    with pytest.raises(ValueError, match=r"windows of the groups \['g2'\] are missing"):
        select(candidates, {g: windows[g] for g in ("g0", "g1")}, examples)
    for wrong in ({"seats": 0}, {"recipe_cap": 0}, {"bags": 0}):
        with pytest.raises((ConfigError, ValueError), match="must be 1 or more"):
            select(candidates, windows, examples, **wrong)


def test_twelve_candidates_and_five_hundred_questions_take_seconds():
    groups, rng = 3, np.random.default_rng(0)
    examples, offsets, _ = questions(rng, 500, words=400)
    windows = {f"g{g}": group_windows(offsets, 150 + 40 * g) for g in range(groups)}
    names = [f"g{i % groups}" for i in range(12)]
    candidates = [
        candidate(rng, f"c{i}", group, windows[group], examples, 2.5)
        for i, group in enumerate(names)
    ]
    begin = time.process_time()
    select(candidates, windows, examples)
    assert time.process_time() - begin < 10
