"""The fits of rule and confidence, on candidates whose no-answer position means something."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.analysis.confidence_fit import WAYS, fit_confidence
from autoqa.analysis.none_fit import fit_none
from autoqa.analysis.stored_predictions import StoredPart
from autoqa.ensemble.choosing.none_choice import fit_scale
from autoqa.ensemble.joining.confidence import Confidence, confidence_features
from autoqa.ensemble.joining.evidence import NOTHING_READ
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score_by
from tests.ensemble.making import field


def answerable_field(seed=0, count=160, noise=1.5):
    """Every other question has no answer, and candidates mostly see that."""
    examples, windows, candidates = field(seed, count=count, noises=((2.0, 2.5), (2.2,)))
    absent = np.arange(count) % 2 == 1
    rng = np.random.default_rng(seed + 1)
    logits = {}
    for each in candidates:
        start, end = (side.copy() for side in each.logits)
        grid = windows[each.group]
        for w, row in enumerate(grid.example):
            start[grid.bounds[w]] = 8.0 * absent[row] + rng.normal(0, noise)
            end[grid.bounds[w]] = 8.0 * absent[row] + rng.normal(0, noise)
        logits[each.id] = start, end
    examples = [
        replace(each, answers=()) if gone else each
        for each, gone in zip(examples, absent, strict=True)
    ]
    plan = EnsemblePlan([Member(c.id, c.group) for c in candidates], "g0")
    return StoredPart(examples, windows, logits, "jaccard"), plan


def test_a_fitted_rule_is_worth_more_than_answering_always():
    part, plan = answerable_field()
    fit = fit_none(part, plan)
    assert fit.public.all > fit.public.always + 0.2
    assert fit.public.best >= fit.public.all - 1e-9
    assert fit.threshold.low <= fit.threshold.value <= fit.threshold.high
    assert (fit.threshold.answerable, fit.threshold.unanswerable) == (80, 80)
    with_rule = replace(plan, none=fit.rule)
    reached = score_by("jaccard", [s.text for s in part.spans(with_rule)], part.examples)
    assert reached.mean() == pytest.approx(fit.public.all)


def test_a_rule_changes_no_answer_that_is_given():
    part, plan = answerable_field()
    with_rule = replace(plan, none=fit_none(part, plan).rule)
    before, after = part.spans(plan), part.joined(with_rule).spans
    assert [(s.start, s.end, s.text) for s in part.spans(with_rule)] == [
        s[:2] + s[3:] for s in after
    ]
    for plain, span in zip(before, after, strict=True):
        assert not span.text or span == plain
    assert sum(not span.text for span in after) > 40


def test_where_all_questions_have_answers_nothing_is_fitted():
    part, plan = answerable_field()
    answered = [each for each in part.examples if each.answers]
    assert fit_none(replace(part, examples=answered * 2), plan) is None


def test_surer_evidence_never_makes_an_answer_less_likely():
    rng = np.random.default_rng(0)
    answerable = np.arange(200) % 2 == 0
    good = np.where(answerable, 2.0, -2.0) + rng.normal(0, 2, 200)
    scale = fit_scale({"good": good, "perverse": -good + rng.normal(0, 0.1, 200)}, answerable)
    assert scale.slopes["good"] > 0
    assert scale.slopes.get("perverse", 0.0) >= 0
    scale = fit_scale({"a": np.full(4, NOTHING_READ)}, np.array([True, False, True, True]))
    assert scale.slopes == {}


@pytest.mark.parametrize("ruled", [False, True])
def test_confidence_is_calibrated(ruled):
    part, plan = answerable_field(count=300)
    if ruled:
        plan = replace(plan, none=fit_none(part, plan).rule)
    fit = fit_confidence(part, plan)
    assert fit.way in {name for name, *_ in WAYS}
    assert fit.public.error < 0.1


def test_too_few_questions_keep_the_scores_of_spans():
    part, plan = answerable_field(count=30)
    assert fit_confidence(part, plan) is None


@given(
    scores=st.lists(st.floats(0, 1), min_size=2, max_size=20),
    agreement=st.floats(0, 1),
    evidence=st.floats(-1e9, 1e9),
    slopes=st.tuples(*[st.floats(0, 100)] * 3),
    intercept=st.floats(-100, 100),
    steps=st.booleans(),
)
def test_confidence_is_a_probability_that_rises(
    scores, agreement, evidence, slopes, intercept, steps
):
    table = ((0.2, 0.4, 0.4 + 1e-9), (0.1, 0.1, 1.0)) if steps else ((), ())
    features = confidence_features(
        sorted(scores), np.full(len(scores), agreement), np.full(len(scores), evidence)
    )
    found = Confidence(intercept, slopes, *table).of(features)
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1
    assert (np.diff(found) >= -1e-12).all()
