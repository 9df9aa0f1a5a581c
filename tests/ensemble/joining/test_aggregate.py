from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import EMPTY, best_span
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.characters import GroupLogits, character_spans
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.ensemble.joining.vote import vote
from tests.decoding.making import cut, exhaustive, make_contexts
from tests.ensemble.joining.test_vote import slow_vote


@pytest.fixture(scope="module")
def stored():
    rng = np.random.default_rng(0)
    contexts, offsets = make_contexts(rng, 40, (0, 60))
    windows = {
        "a": cut(offsets, 20, 5),
        "b": cut(offsets, 30, 8),
        "c": cut(offsets, 12, 0),
    }
    logits = {
        name + str(i): tuple(rng.normal(0, 4, (2, w.bounds[-1])).astype(np.float32))
        for name, w in windows.items()
        for i in range(2)
    }
    return contexts, windows, logits


def test_blends_within_and_votes_across(stored):
    contexts, windows, logits = stored
    members = [Member("a0", "a", 2), Member("c0", "c"), Member("a1", "a"), Member("b1", "b", 0.5)]
    answers = aggregate(EnsemblePlan(members, "c"), logits, windows, contexts)
    mean = [(2 * logits["a0"][i] + logits["a1"][i]) / 3 for i in (0, 1)]
    by_group = [
        best_span(*mean, windows["a"], contexts),
        best_span(*logits["c0"], windows["c"], contexts),
        best_span(*logits["b1"], windows["b"], contexts),
    ]
    expected = [
        vote(spans, c, 1) for spans, c in zip(zip(*by_group, strict=True), contexts, strict=True)
    ]
    assert [(a.start, a.end, a.text) for a in answers] == [
        (e.start, e.end, e.text) for e in expected
    ]


def test_one_group_is_its_blend(stored):
    contexts, windows, logits = stored
    windows = {**windows, "a": replace(windows["a"], max_answer_tokens=3)}
    members = [Member("a0", "a"), Member("a1", "a")]
    answers = aggregate(EnsemblePlan(members, "a"), logits, windows, contexts)
    start, end = blend([logits["a0"], logits["a1"]])
    assert answers == best_span(start, end, windows["a"], contexts)


def test_the_tie_group_must_have_a_member():
    with pytest.raises(ValueError, match=r"tie group 'b' has no member; the groups are \['a'\]"):
        EnsemblePlan([Member("a0", "a")], "b")


def slow_aggregate(members, logits, windows, contexts, best, max_tokens, aggregator, by):
    """Every span of every window, every mean token by token, every word counted by hand."""
    voters = []
    for group in dict.fromkeys(member.group for member in members):
        own = [member for member in members if member.group == group]
        if aggregator == "vote":
            total = sum(m.weight for m in own)
            pairs = [
                [
                    [
                        np.float32(
                            sum(m.weight * float(logits[m.id][side][t]) for m in own) / total
                        )
                        for t in range(windows[group].bounds[-1])
                    ]
                    for side in (0, 1)
                ]
            ]
            seats = [1]
        else:
            pairs, seats = [logits[m.id] for m in own], [m.weight for m in own]
        for pair, seat in zip(pairs, seats, strict=True):
            spans = exhaustive(*pair, windows[group], contexts, 1, max_tokens)
            voters.append((group, seat, [found[0] if found else EMPTY for found in spans]))
    most = max(seat for group, seat, _ in voters if group == best)
    leader = [(group, seat) for group, seat, _ in voters].index((best, most))
    seats = [seat for _, seat, _ in voters]
    return [
        slow_vote([answers[row] for _, _, answers in voters], context, leader, seats, by)
        for row, context in enumerate(contexts)
    ]


@settings(max_examples=1500, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    groups=st.integers(1, 4),
    aggregator=st.sampled_from(["vote", "vote-only"]),
    by=st.sampled_from(["set", "position"]),
)
def test_equals_the_slow_way(seed, groups, aggregator, by):
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 2, (0, 9))
    windows = {f"g{g}": cut(offsets, 3 + 2 * g, 1, limit=4) for g in range(groups)}
    members = [
        Member(f"{group}-{i}", group, int(rng.integers(1, 4)))
        for group in windows
        for i in range(int(rng.integers(1, 3)))
    ]
    members = [members[i] for i in rng.permutation(len(members))]
    logits = {
        m.id: tuple(rng.normal(0, 3, (2, windows[m.group].bounds[-1])).astype(np.float32))
        for m in members
    }
    best = str(rng.choice(list(windows)))
    found = aggregate(
        EnsemblePlan(members, best, aggregator, by),
        logits,
        windows,
        contexts,
    )
    expected = slow_aggregate(members, logits, windows, contexts, best, 4, aggregator, by)
    assert [(span.start, span.end, span.text) for span in found] == expected


def test_characters_take_all_members_by_their_seats(stored):
    contexts, windows, logits = stored
    members = [Member("a0", "a", 2), Member("c0", "c"), Member("a1", "a"), Member("b1", "b", 3)]
    found = aggregate(
        EnsemblePlan(members, "c", aggregator="characters"), logits, windows, contexts
    )
    groups = [
        GroupLogits(windows["a"], [logits["a0"], logits["a1"]], [2, 1]),
        GroupLogits(windows["c"], [logits["c0"]], [1]),
        GroupLogits(windows["b"], [logits["b1"]], [3]),
    ]
    assert found == character_spans(groups, contexts)


def test_members_of_one_group_vote_where_nothing_is_blended(stored):
    contexts, windows, logits = stored
    members = [Member("a0", "a"), Member("a1", "a", 2)]
    found = aggregate(EnsemblePlan(members, "a", aggregator="vote-only"), logits, windows, contexts)
    alone = best_span(*logits["a1"], windows["a"], contexts)
    assert [span.text for span in found] == [span.text for span in alone]  # two seats of three
