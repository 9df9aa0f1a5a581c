"""What each rule's choice is worth where few documents decide.

Pools of candidates are drawn with documents of which some are public and sixty are not
(:mod:`tests.ensemble.choosing.pools`). Each rule chooses on the public ones; its choice is scored
on the others, which stand for the truth. The equal mean takes all candidates, whatever they are
worth.

``AUTOQA_BENCH_RUN`` names the folder of a finished run with at least four candidates: its documents
are then divided at random in the same way, as in :mod:`.bench_selection_real`.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from autoqa.ensemble.choosing.bagging import numbered
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import DecisionRule
from autoqa.ensemble.choosing.selector import Selector
from tests.ensemble.choosing.pools import Kind, Part, make_pool

from .bench_selection_real import finished_run, part_of, pooled
from .harness import Comparison, record

DOCUMENTS, TRUTH = {3: 40, 7: 40, 20: 20, 60: 10}, 60
"""Pools for each number of public documents, and documents that are the truth."""

SPLITS = 50
RULES: tuple[DecisionRule, ...] = ("interval", "mean", "shrinkage")
KINDS = {
    "four runs, two snapshots": Kind(),
    "eight runs": Kind(recipes=8, snapshots=1),
    "alike": Kind(recipes=4, snapshots=2, skill=0.0, own=0.2, between=0.2),
    "skills differ": Kind(skill=0.5),
    "one collapsed": Kind(collapsed=1),
    "three groups": Kind(recipes=6, snapshots=1, groups=3),
}


def worths(public: Part, truth: Part, seed: int) -> dict[str, float]:
    """True score of what each rule chooses, and of what needs no choice."""
    limits = EnsembleLimits(seats=len(public.candidates))
    selector = Selector(public.candidates, public.windows, public.examples, limits, seed=seed)
    found = {}
    for rule in RULES:
        selection = selector.select(rule)
        found[rule] = truth.worth(selection)
    found["best"] = truth.worth(selection.best_public)
    equal = next(other for other in selection.alternatives if other.kind == "all-equal")
    found["equal mean"] = truth.jaccard(equal.members, equal.tie_group)
    alone = [truth.jaccard([(each.id, 1)], each.group) for each in truth.candidates]
    return {**found, "mean candidate": float(np.mean(alone)), "best candidate": max(alone)}


def report(name: str, rows: list[dict[str, float]]) -> None:
    """Prints a line of the table, and records the new rule against the one before."""
    means = {way: float(np.mean([row[way] for row in rows])) for way in rows[0]}
    gains = np.array([row["shrinkage"] - row["interval"] for row in rows])
    below = np.array([row["shrinkage"] - row["equal mean"] for row in rows])
    print(
        f"\n{name}: "
        + ", ".join(f"{way} {mean:.3f}" for way, mean in means.items())
        + f"; on interval {gains.mean():+.4f} ± {gains.std() / np.sqrt(len(gains)):.4f}, "
        f"worse in {np.mean(gains < 0):.0%}; on the equal mean {below.mean():+.4f}, "
        "quantiles 0 5 50 95: "
        + " ".join(f"{value:+.3f}" for value in np.quantile(below, [0, 0.05, 0.5, 0.95]))
    )
    record(
        Comparison(
            name=f"selector_vs_before {name}",
            ratio=round(means["shrinkage"] / means["interval"], 4),
            a=round(means["interval"], 4),
            b=round(means["shrinkage"], 4),
            unit="jaccard",
            equal=True,  # the same questions
            rounds=len(rows),
        )
    )


@pytest.mark.parametrize("documents", DOCUMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_selection_prior(kind: str, documents: int) -> None:
    rows = []
    for seed in range(DOCUMENTS[documents]):
        public, truth = make_pool(KINDS[kind], [documents, TRUTH], seed)
        rows.append(worths(public, truth, seed))
    report(f"{kind}, {documents} documents", rows)


def test_selection_prior_real(tmp_path: Path) -> None:
    if "AUTOQA_BENCH_RUN" not in os.environ:
        pytest.skip("AUTOQA_BENCH_RUN is not set")
    field = pooled(finished_run(tmp_path))
    assert len(field.candidates) >= 4
    rows_of = numbered([example.document for example in field.examples])
    total = int(rows_of.max()) + 1
    for documents in (count for count in DOCUMENTS if count <= total - 3):
        rng, rows = np.random.default_rng(documents), []
        for number in range(SPLITS):
            seen = np.isin(rows_of, rng.permutation(total)[:documents])
            public, truth = (
                Part(part.examples, part.windows, part.candidates)
                for part in (part_of(field, np.flatnonzero(side)) for side in (seen, ~seen))
            )
            rows.append(worths(public, truth, number))
        report(f"real, {documents} of {total} documents", rows)
