from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.errors import DataError
from autoqa.scores.metrics import score_by
from autoqa.text.words import jaccard
from autoqa.types import Answer, Example
from tests.decoding.making import cut, make_contexts
from tests.ensemble.making import field


def exact(seats, contenders, windows, examples, best):
    """Scores by way of the real answers."""
    seated = [(contenders[i], n) for i, n in Counter(seats).items()]
    answers = aggregate(
        EnsemblePlan([Member(c.id, c.group, n) for c, n in seated], best),
        {c.id: c.logits for c, _ in seated},
        windows,
        [example.context for example in examples],
    )
    return score_by("jaccard", [answer.text for answer in answers], examples)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_scores_are_those_of_the_real_answers(seed, groups):
    """Short contexts, so that every span is on the list and nothing is approximate."""
    rng = np.random.default_rng(seed)
    contexts, offsets = make_contexts(rng, 12, (0, 5))
    examples = []
    for number, context in enumerate(contexts):
        references = []
        for _ in range(int(rng.integers(1, 3))):
            low = int(rng.integers(0, len(context) + 1))
            references.append(Answer(context[low : low + 12], low))
        examples.append(Example(str(number), "?", context, tuple(references), "hi", str(number)))
    windows = {f"g{g}": cut(offsets, 3 + g, 1, limit=4) for g in range(groups)}
    contenders = [
        Contender(f"{g}{i}", g, "r", tuple(rng.normal(0, 3, (2, w.bounds[-1])).astype(np.float32)))
        for g, w in windows.items()
        for i in range(2)
    ]
    evaluator = Evaluator(contenders, windows, examples)
    for _ in range(6):
        seats = tuple(rng.integers(0, len(contenders), rng.integers(1, 7)).tolist())
        weights = rng.integers(1, 4, len(examples)).astype(float)
        leader = evaluator.groups[evaluator.leader(seats, weights)]
        by_group = {
            g: weights
            @ exact(
                [i for i in seats if contenders[i].group == g],
                contenders, windows, examples, g,
            )
            for g in {contenders[i].group for i in seats}
        }  # fmt: skip
        assert by_group[leader] == pytest.approx(max(by_group.values()))
        expected = exact(seats, contenders, windows, examples, leader)
        assert evaluator.scores(seats, weights) == pytest.approx(expected)
        options = rng.permutation(len(contenders)).tolist()
        added = [evaluator.mean((*seats, i), weights) for i in options]
        assert evaluator.additions(seats, options, weights) == pytest.approx(added, abs=1e-14)
    alone = evaluator.additions((), range(len(contenders)), weights)
    assert alone == pytest.approx(weights @ evaluator.alone.T / weights.sum())


def test_long_contexts_agree_almost_everywhere():
    examples, windows, candidates = field(5, count=150)
    evaluator = Evaluator(candidates, windows, examples)
    weights = np.ones(len(examples))
    for seats in ((0,), (0, 1, 0), (6, 5, 4, 3, 2, 1, 0)):
        leader = evaluator.groups[evaluator.leader(seats, weights)]
        expected = exact(seats, candidates, windows, examples, leader)
        assert (evaluator.scores(seats, weights) == pytest.approx(expected)) or (
            np.mean(np.abs(evaluator.scores(seats, weights) - expected) > 1e-9) < 0.02
        )


def test_disagreement_is_that_of_the_answers():
    examples, windows, candidates = field(6)
    contexts = [example.context for example in examples]
    answers = [
        aggregate(
            EnsemblePlan([Member(c.id, c.group)], c.group), {c.id: c.logits}, windows, contexts
        )
        for c in candidates
    ]
    evaluator = Evaluator(candidates, windows, examples)
    for i, j in ((0, 1), (0, 4), (3, 6), (2, 2)):
        pairs = zip(answers[i], answers[j], strict=True)
        expected = np.mean([1.0 - jaccard(a.text, b.text) for a, b in pairs])
        assert evaluator.disagreements(i)[j] == pytest.approx(expected)


def test_a_broken_candidate_is_named():
    examples, windows, candidates = field(1, count=10)
    broken = Contender("t0007-100", "g0", "r", (candidates[0].logits[0] * np.nan,) * 2)
    with pytest.raises(DataError, match="candidate t0007-100: logits of example 0 hold nan"):
        Evaluator([*candidates, broken], windows, examples)
    other = Contender("t0008-100", "g1", "r", candidates[0].logits)
    with pytest.raises(DataError, match=r"candidate t0008-100: .* made for other windows"):
        Evaluator([*candidates, other], windows, examples)
