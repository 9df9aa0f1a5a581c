"""What ending hopeless runs early costs and saves.

Eight runs of a pool (:mod:`tests.ensemble.choosing.pools`) come one after the other, each with a
snapshot on its way and one at its end. Those that are hopeless at the first
(:mod:`autoqa.planning.hopeless`, on the public documents) never reach the second. What is left is
averaged with equal weights, which stands for the mean of their weights, and scored on documents
that had no say.
"""

import numpy as np
import pytest

from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.planning.hopeless import MARGIN, is_hopeless
from autoqa.scores.metrics import score_by
from tests.ensemble.choosing.pools import Kind, Part, make_pool

from .harness import Comparison, record

RUNS, TRUTH = 8, 40
POOLS = {3: 30, 10: 30, 30: 15}
"""Public documents, and pools for each number of them."""

KINDS = {
    "alike": Kind(recipes=RUNS, skill=0.0),
    "as measured": Kind(recipes=RUNS),
    "skills differ": Kind(recipes=RUNS, skill=0.8),
    "one run collapsed": Kind(recipes=RUNS, collapsed=2),
}


def question_scores(part: Part, number: int) -> np.ndarray:
    """One candidate's Jaccard at each question."""
    one = part.candidates[number]
    plan = EnsemblePlan([Member(one.id, one.group, 1)], one.group)
    contexts = [example.context for example in part.examples]
    spans = aggregate(plan, {one.id: one.logits}, part.windows, contexts)
    return score_by("jaccard", [span.text for span in spans], part.examples)


def ended_early(public: Part, order: list[int]) -> set[int]:
    """Runs that end at their snapshot."""
    documents = [example.document for example in public.examples]
    ended: set[int] = set()
    before: list[np.ndarray] = []
    for run in order:
        own = question_scores(public, 2 * run)
        best = max(before, key=np.mean, default=own)
        if best.mean() - own.mean() > MARGIN and is_hopeless(own, best, documents, len(before)):
            ended.add(run)
        before.append(own)
    return ended


@pytest.mark.parametrize("documents", POOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_pruning(kind: str, documents: int) -> None:
    ended, whole, left = [], [], []
    for seed in range(POOLS[documents]):
        public, truth = make_pool(KINDS[kind], [documents, TRUTH], seed)
        # A pool's collapsed candidates are its last ones; runs come in any order.
        order = np.random.default_rng(seed).permutation(RUNS).tolist()
        gone = ended_early(public, order)
        members = [(each.id, 1.0) for each in truth.candidates]
        kept = [
            each for number, each in enumerate(members) if number // 2 not in gone or not number % 2
        ]
        ended.append(len(gone))
        whole.append(truth.jaccard(members, "g0"))
        left.append(truth.jaccard(kept, "g0"))
    gains = np.array(left) - np.array(whole)
    print(
        f"\n{kind}, {documents} documents: {np.mean(ended) / RUNS:.1%} of the runs end early; mean "
        f"of all {np.mean(whole):.3f}, of what is left {gains.mean():+.4f} "
        f"(worst {gains.min():+.3f})"
    )
    record(
        Comparison(
            name=f"pruned_vs_whole {kind}, {documents} documents",
            ratio=round(float(np.mean(left) / np.mean(whole)), 4),
            a=round(float(np.mean(whole)), 4),
            b=round(float(np.mean(left)), 4),
            unit="jaccard",
            equal=True,
            rounds=POOLS[documents],
        )
    )
