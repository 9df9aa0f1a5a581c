from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.span_search import SpanGrid
from autoqa.ensemble.joining.evidence import NOTHING_READ, group_evidence, window_evidence
from autoqa.ensemble.joining.join import join, join_spans
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.none_rule import EvidenceScale, none_probability
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.text.words import jaccard
from tests.decoding.making import cut, make_contexts
from tests.ensemble.making import field


def slow_evidence(windows, start, end, rows):
    """Window by window, all pairs."""
    evidence = [NOTHING_READ] * rows
    for w, row in enumerate(windows.example):
        begin = windows.bounds[w]
        low, high = begin + windows.context[w]
        for i in range(low, high):
            for j in range(i, min(high, i + windows.max_answer_tokens)):
                found = start[i] + end[j] - (start[begin] + end[begin])
                evidence[row] = max(evidence[row], found)
    return np.array(evidence)


@given(seed=st.integers(0, 10_000), room=st.integers(2, 9), limit=st.integers(1, 6))
def test_evidence_is_the_best_span_less_its_windows_first_token(seed, room, limit):
    rng = np.random.default_rng(seed)
    _, offsets = make_contexts(rng, 4, (0, 14))
    windows = cut(offsets, room, 1, shuffle=rng, limit=limit)
    start, end = rng.normal(0, 3, (2, int(windows.bounds[-1]))).astype(np.float32)
    found = window_evidence(SpanGrid(windows), start, end, 4)
    assert found == pytest.approx(slow_evidence(windows, start, end, 4), abs=1e-4)


def test_groups_add_up_on_their_scale():
    _, windows, candidates = field(1, count=20)
    members = [Member(c.id, c.group) for c in candidates]
    plan = EnsemblePlan(members, "g0")
    logits = {c.id: c.logits for c in candidates}
    by_group = group_evidence(plan, logits, windows, 20)
    own = [c.logits for c in candidates if c.group == "g1"]
    assert by_group["g1"] == pytest.approx(
        window_evidence(SpanGrid(windows["g1"]), *blend(own), 20), abs=1e-6
    )
    scale = EvidenceScale(-1.0, {"g0": 0.5, "g1": 0.25})
    expected = -1.0 + 0.5 * by_group["g0"] + 0.25 * by_group["g1"]
    assert scale.joined(by_group) == pytest.approx(expected)


@pytest.mark.parametrize("aggregator", ["vote", "vote-only", "characters"])
def test_joining_says_how_far_members_agree(aggregator):
    examples, windows, candidates = field(2, count=30)
    plan = EnsemblePlan(
        [Member(c.id, c.group, 1.0 + i) for i, c in enumerate(candidates)], "g0", aggregator
    )
    logits = {c.id: c.logits for c in candidates}
    joined = join(plan, logits, windows, examples)
    assert joined.spans == join_spans(plan, logits, windows, examples)
    contexts = [example.context for example in examples]
    total = np.zeros(30)
    for member in plan.members:
        own = SpanDecoder(windows[member.group], contexts).best(*logits[member.id])
        same = [jaccard(a.text, b.text) for a, b in zip(own, joined.spans, strict=True)]
        total += member.weight * np.array(same)
    assert joined.agreement == pytest.approx(total / sum(m.weight for m in plan.members))
    assert 0 <= joined.agreement.min() < joined.agreement.max() <= 1


def test_one_model_agrees_with_itself():
    examples, windows, candidates = field(3, count=10)
    plan = EnsemblePlan([Member(candidates[0].id, "g0")], "g0")
    joined = join(plan, {candidates[0].id: candidates[0].logits}, windows, examples)
    assert joined.agreement.tolist() == [1.0] * 10
    assert joined.evidence.tolist() == joined.by_group["g0"].tolist()


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_probabilities_of_none_are_probabilities_and_fall_with_evidence(values):
    found = none_probability(sorted(values))
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1
    assert (np.diff(found) <= 0).all()


def test_members_agree_by_words_as_the_ensemble_votes_on_them():
    examples, windows, candidates = field(2, count=30)
    rows = [
        replace(row, context="".join(chr(0x4E00 + at) for at in range(len(row.context))))
        for row in examples
    ]
    contexts = [row.context for row in rows]
    members = [Member(c.id, c.group) for c in candidates]
    logits = {c.id: c.logits for c in candidates}
    plan = EnsemblePlan(members, "g0", segmentation="mixed")
    joined = join(plan, logits, windows, rows)
    own = [SpanDecoder(windows[m.group], contexts).best(*logits[m.id]) for m in members]
    same = [
        len(set(a.text) & set(b.text)) / len(set(a.text) | set(b.text))
        for spans in own
        for a, b in zip(spans, joined.spans, strict=True)
    ]
    assert any(0 < share < 1 for share in same)
    assert joined.agreement == pytest.approx(np.reshape(same, (len(members), 30)).mean(axis=0))
