"""Candidates that try to fool the selector, and limits that nobody can keep."""

import dataclasses

import numpy as np
import pytest

from autoqa.ensemble.choosing.selector import Contender, EnsembleLimits, Selector
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.errors import ConfigError, DataError, NothingFeasibleError
from autoqa.scores.metrics import score_by
from tests.ensemble.making import candidate, field, group_windows, questions


def kinds(selection):
    return {other.kind: other for other in selection.alternatives}


def test_fifty_copies_are_one_voice():
    examples, windows, candidates = field(0)
    copies = [dataclasses.replace(candidates[0], id=f"copy{i:02}", seconds=2.0) for i in range(50)]
    few = Selector(candidates, windows, examples, EnsembleLimits(seats=6, recipe_cap=6)).select(
        "mean"
    )
    many = Selector(
        [*candidates, *copies], windows, examples, EnsembleLimits(seats=6, recipe_cap=6)
    ).select("mean")
    assert kinds(many)["greedy"].members == kinds(few)["greedy"].members
    assert kinds(many)["greedy"].out_of_bag == kinds(few)["greedy"].out_of_bag
    assert many.members[0].id == few.members[0].id


def test_near_copies_get_no_seat_beside_each_other():
    examples, windows, candidates = field(1)
    rng = np.random.default_rng(0)
    near = [
        Contender(
            f"near{i}",
            "g0",
            f"r{i}",
            tuple(side + rng.normal(0, 1e-3, side.shape) for side in candidates[0].logits),
        )
        for i in range(10)
    ]
    selector = Selector(
        [*near, *candidates], windows, examples, EnsembleLimits(seats=8, recipe_cap=8)
    )
    for seats in [
        selector._seats["greedy"],
        *(bag.seats["greedy"] for bag in selector._bags.drawn),
    ]:
        names = {selector._contenders[i].id for i in seats}
        assert len(names & {"g0-0", *(other.id for other in near)}) <= 1


def test_a_lucky_candidate_is_seen_through():
    """Thirty candidates that only guess: the best of them is good on the public part alone."""
    rng = np.random.default_rng(0)
    examples, offsets, _ = questions(rng, 80, words=12)
    windows = {"g0": group_windows(offsets, 24)}
    pool = [candidate(rng, f"c{i}", "g0", windows["g0"], examples, noise=60.0) for i in range(30)]
    chosen = Selector(pool, windows, examples).select("interval")
    single = kinds(chosen)["single"]
    truth = np.mean([_public(one, windows, examples) for one in pool])
    assert single.public.mean > truth + 0.03
    assert abs(single.out_of_bag - truth) < 0.03  # out of bag the luck is gone
    assert chosen.chosen == "single"


def _public(one, windows, examples):
    contexts = [example.context for example in examples]
    answers = aggregate(
        EnsemblePlan([Member(one.id, one.group)], one.group),
        {one.id: one.logits},
        windows,
        contexts,
    )
    return score_by("jaccard", [answer.text for answer in answers], examples).mean()


@pytest.mark.parametrize("elsewhere, seated", [("silent", True), ("wrong", False)])
def test_good_in_one_language_only(elsewhere, seated):
    """It gets a seat if it leaves the other language to the others, and none if it spoils it."""
    rng = np.random.default_rng(2)
    examples, offsets, _ = questions(rng, 90)
    examples = [
        dataclasses.replace(example, language=("hi", "en")[int(example.document[1:]) % 3 == 0])
        for example in examples
    ]
    windows = {"g0": group_windows(offsets, 30)}
    both = [candidate(rng, f"both{i}", "g0", windows["g0"], examples, 2.6) for i in range(3)]
    expert = candidate(rng, "expert", "g0", windows["g0"], examples, 0.5)
    owner = np.repeat(windows["g0"].example, np.diff(windows["g0"].bounds))
    hindi = np.array([example.language == "hi" for example in examples])[owner]
    noise = 0.1 if elsewhere == "silent" else 60.0
    logits = tuple(
        np.where(hindi, rng.normal(0, noise, len(side)), side).astype(np.float32)
        for side in expert.logits
    )
    pool = [*both, dataclasses.replace(expert, logits=logits)]
    greedy = kinds(Selector(pool, windows, examples).select())["greedy"]
    assert ("expert" in dict(greedy.members)) == seated


def test_broken_logits_are_refused_by_name():
    examples, windows, candidates = field(1, count=10)
    start, end = (side.copy() for side in candidates[0].logits)
    start[windows["g0"].bounds[3] + 5] = np.nan
    broken = Contender("t0007-100", "g0", "r", (start, end))
    with pytest.raises(DataError, match=r"candidate t0007-100: logits of example \d+ hold nan"):
        Selector([*candidates, broken], windows, examples)


def test_a_quota_that_nobody_can_fill():
    examples, windows, candidates = field(1, count=20)
    with pytest.raises(ConfigError, match=r"selection.quota is 6, more than selection.seats \(5\)"):
        EnsembleLimits(quota=6)
    same = [dataclasses.replace(one, recipe=one.group) for one in candidates]
    with pytest.raises(
        NothingFeasibleError,
        match="quota is 3, but no group can fill 3 seats with recipe_cap = 2: lower the quota or",
    ):
        Selector(same, windows, examples, EnsembleLimits(quota=3, recipe_cap=2))


def test_a_group_that_cannot_fill_its_quota_is_named_and_left_out():
    """g1 and g2 have two recipes each, g0 three: with one seat a recipe only g0 has three seats."""
    examples, windows, candidates = field(1)
    selection = Selector(
        candidates, windows, examples, EnsembleLimits(quota=3, recipe_cap=1)
    ).select("interval")
    greedy = kinds(selection)["greedy"]
    assert {name for name, _ in greedy.members} == {"g0-0", "g0-1", "g0-2"}
    assert selection.notes == (
        "Group g1 gets no seat: it cannot fill 3 seats with recipe_cap = 1.",
        "Group g2 gets no seat: it cannot fill 3 seats with recipe_cap = 1.",
    )


def test_a_budget_below_the_cheapest():
    examples, windows, candidates = field(1, count=20)
    slow = [dataclasses.replace(one, seconds=10.0 + i) for i, one in enumerate(candidates)]
    with pytest.raises(
        NothingFeasibleError,
        match=r"seconds is 9\.5, but the cheapest candidate, g0-0, takes 10 seconds for 1,000",
    ) as caught:
        Selector(slow, windows, examples, EnsembleLimits(seconds=9.5))
    assert caught.value.exit_code == 5
    unknown = dataclasses.replace(slow[0], seconds=float("nan"))
    with pytest.raises(DataError, match="candidate g0-0: its inference time is nan"):
        Selector([unknown, *slow[1:]], windows, examples, EnsembleLimits(seconds=20))


def test_a_budget_is_kept_and_a_member_pays_once():
    examples, windows, candidates = field(0)
    slow = [dataclasses.replace(one, seconds=4.0 + i) for i, one in enumerate(candidates)]
    limits = EnsembleLimits(seats=9, recipe_cap=9, seconds=9.5)
    selection = Selector(slow, windows, examples, limits).select("mean")
    (note,) = selection.notes
    assert "alone take more than 9.5 seconds" in note
    assert note.endswith("left out: 1.")
    assert len(selection.considered) == len(slow)
    seconds = {one.id: one.seconds for one in slow}
    for other in selection.alternatives:
        spent = sum(seconds[name] for name, _ in other.members)
        assert other.seconds == pytest.approx(spent)
        assert other.kind == "all-equal" or (other.allowed and spent <= 9.5)
    assert limits.room(slow, (0, 1)) == [0, 1]  # 4 + 5 seconds: another model would be too much
