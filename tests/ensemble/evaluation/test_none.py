"""Candidates that say none, in the fast evaluator and in the one that joins."""

import numpy as np
import pytest

from autoqa.decoding.decoder import SpanDecoder
from autoqa.ensemble.choosing.selector import Selector
from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator
from autoqa.ensemble.evaluation.joined_evaluator import JoinedEvaluator
from autoqa.ensemble.joining.own_none import own_answers, own_cut
from autoqa.scores.metrics import score_by
from tests.analysis.test_reliability_fits import answerable_field


@pytest.fixture(scope="module")
def pool():
    part, plan = answerable_field(noise=3.0)
    contenders = [Contender(m.id, m.group, m.id, part.logits[m.id]) for m in plan.members]
    return part, contenders


@pytest.mark.parametrize("metric", ["jaccard", "f1"])
def test_alone_a_candidate_says_none_exactly_where_its_threshold_does(pool, metric):
    part, contenders = pool
    found = Evaluator(contenders, part.windows, part.examples, metric)
    joined = JoinedEvaluator(contenders, part.windows, part.examples, "vote", "set", metric)
    contexts = [example.context for example in part.examples]
    for row, each in enumerate(contenders):
        decoder = SpanDecoder(part.windows[each.group], contexts)
        cut = own_cut(decoder, each.logits, part.examples, metric)
        texts = [span.text for span in own_answers(decoder, each.logits, cut)]
        assert "" in texts
        expected = score_by(metric, texts, part.examples)
        assert found.alone[row] == pytest.approx(expected)
        assert joined.alone[row] == pytest.approx(expected)


@pytest.mark.parametrize("aggregator", ["vote", "characters", "vote-only"])
def test_selection_prefers_who_knows_when_there_is_none(pool, aggregator):
    part, contenders = pool
    blind = contenders[0]
    rng = np.random.default_rng(0)
    start, end = (side.copy() for side in blind.logits)
    windows = part.windows[blind.group]
    start[windows.bounds[:-1]] = rng.normal(0, 3, len(windows.example))
    end[windows.bounds[:-1]] = rng.normal(0, 3, len(windows.example))
    guessing = Contender("guessing", blind.group, "guessing", (start, end))
    selection = Selector(
        [guessing, *contenders], part.windows, part.examples, bags=3, aggregator=aggregator
    ).select("mean")
    if aggregator == "vote":  # the others may take its spans, which are good
        assert "guessing" not in {seat.id for seat in selection.members}
    assert selection.public.mean > 0.6
