"""Scores from sets of words against those of answers that were really joined, for every metric."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator
from autoqa.ensemble.evaluation.joined_evaluator import JoinedEvaluator, make_evaluator
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import all_metrics, get_metric
from autoqa.types import Answer, Example
from tests.decoding.making import cut

COUNTED = [metric.name for metric in all_metrics() if metric.overlap is not None]
PIECES = [
    "the ",
    "The, ",
    "cat",
    " cat.",
    " Paris",
    "paris, ",
    "東",
    "京",
    "東 ",
    "都は",
    "、",
    " — ",
]
PIECES += ["กำ", "น้", " القاهرة", " والال ", " दिल्ली।", "1999", "年 ", " a", "x ", " "]
LANGUAGES = ["en", "ja", "ar", "hi", "es", ""]


def draw(seed, groups):
    """Questions whose contexts repeat their words, and candidates that answer anything."""
    rng = np.random.default_rng(seed)
    examples, offsets = [], []
    for number in range(10):
        own = rng.choice(PIECES, 4)  # few different ones, so that words occur twice
        context, places = "", []
        for _ in range(int(rng.integers(0, 6))):
            piece = str(rng.choice(own))
            places.append((len(context), len(context) + len(piece)))
            context += piece
        texts = []
        for _ in range(int(rng.integers(1, 3))):
            low = int(rng.integers(0, len(context) + 1))
            texts.append(Answer(context[low : low + int(rng.integers(1, 14))], low))
        language = str(rng.choice(LANGUAGES))
        name = str(number)
        examples.append(Example(name, "?", context, tuple(texts), language, name))
        offsets.append(places)
    windows = {f"g{g}": cut(offsets, 3 + g, 1, limit=4) for g in range(groups)}
    contenders = [
        Contender(f"{i}{g}", g, "r", tuple(rng.normal(0, 3, (2, w.bounds[-1])).astype(np.float32)))
        for i in range(2)
        for g, w in windows.items()
    ]
    return rng, examples, windows, contenders


def exact(evaluator, seats, windows, examples, best, metric):
    """Scores by way of the real answers; groups in the evaluator's order."""
    ordered = sorted(Counter(seats).items(), key=lambda each: evaluator.group_of[each[0]])
    seated = [(evaluator.contenders[i], n) for i, n in ordered]
    plan = EnsemblePlan(
        [Member(c.id, c.group, n) for c, n in seated],
        best,
        segmentation=get_metric(metric).segmentation,
    )
    contexts = [example.context for example in examples]
    answers = aggregate(plan, {c.id: c.logits for c, _ in seated}, windows, contexts)
    return score_by(metric, [answer.text for answer in answers], examples)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from(COUNTED))
def test_scores_are_those_of_the_joined_texts(seed, groups, metric):
    rng, examples, windows, contenders = draw(seed, groups)
    evaluator = make_evaluator(contenders, windows, examples, "vote", "set", metric)
    assert type(evaluator) is Evaluator
    for _ in range(5):
        seats = tuple(rng.integers(0, len(contenders), rng.integers(1, 7)).tolist())
        weights = rng.integers(1, 4, len(examples)).astype(float)
        leader = evaluator.groups[evaluator.leader(seats, weights)]
        expected = exact(evaluator, seats, windows, examples, leader, metric)
        assert evaluator.scores(seats, weights) == pytest.approx(expected, abs=1e-12)
        options = rng.permutation(len(contenders)).tolist()
        added = [evaluator.mean((*seats, i), weights) for i in options]
        assert evaluator.additions(seats, options, weights) == pytest.approx(added, abs=1e-13)
    alone = [
        exact(evaluator, (i,), windows, examples, c.group, metric) for i, c in enumerate(contenders)
    ]
    assert evaluator.alone == pytest.approx(np.array(alone), abs=1e-12)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from(["em", "anls"]))
def test_metrics_that_count_no_items_go_by_the_texts(seed, metric):
    rng, examples, windows, contenders = draw(seed, 3)
    evaluator = make_evaluator(contenders, windows, examples, "vote", "set", metric)
    assert isinstance(evaluator, JoinedEvaluator)
    weights = np.ones(len(examples))
    for _ in range(4):
        seats = tuple(rng.integers(0, len(contenders), rng.integers(1, 6)).tolist())
        leader = evaluator.groups[evaluator.leader(seats, weights)]
        expected = exact(evaluator, seats, windows, examples, leader, metric)
        assert evaluator.scores(seats, weights) == pytest.approx(expected)
    means = evaluator.additions(seats, range(len(contenders)), weights)
    for option in np.flatnonzero(np.isfinite(means)).tolist():
        assert means[option] == pytest.approx(evaluator.mean((*seats, option), weights))


def test_a_vote_on_japanese_is_one_on_characters():
    context = "東京都は日本の首都"
    example = Example("q", "?", context, (Answer("東京", 0),), "ja", "d")
    offsets = [[(i, i + 1) for i in range(len(context))]]
    windows, contenders = {}, []
    for number, (low, high) in enumerate([(0, 3), (0, 2), (0, 4)]):
        name = f"g{number}"
        windows[name] = cut(offsets, 12, 1)
        start, end = np.full((2, windows[name].bounds[-1]), -5, np.float32)
        start[3 + low], end[3 + high - 1] = 5, 5
        contenders.append(Contender(name, name, "r", (start, end)))
    seats, weights = (0, 1, 2), np.ones(1)
    by_characters = Evaluator(contenders, windows, [example], "mlqa")
    assert by_characters.alone[:, 0].tolist() == pytest.approx([0.8, 1, 2 / 3])
    assert by_characters.scores(seats, weights).tolist() == [0.8], "東京都: two of three have 都"
    whole = Evaluator(contenders, windows, [example], "f1")
    assert whole.alone[:, 0].tolist() == [0, 1, 0]
