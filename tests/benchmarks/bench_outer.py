"""What a search exports, judged on articles and a language that no search saw.

``AUTOQA_BENCH_OUTER`` names the folder of :mod:`.outer_splits`, whose studies were searched with
soups. The side before is what version 0.1.0 exported of the same trials: rule ``mean`` among the
candidates that were trained, without soups. The other side is the default rule among all. Besides,
the judging questions are divided at random by document, to compare soups with singles and the rules
with each other on few public documents.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoqa.ensemble.choosing.bagging import numbered
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import DecisionRule, Pick
from autoqa.ensemble.choosing.selector import Selector
from autoqa.features.files import load_windows
from autoqa.store.predictions import load_logits
from tests.ensemble.choosing.pools import Part

from .bench_selection_prior import SPLITS, report, worths
from .bench_selection_real import part_of
from .candidates import Field
from .harness import Comparison, record
from .outer_judges import Judged, judged


def splits() -> list[Judged]:
    """The searched splits that are there."""
    named = os.environ.get("AUTOQA_BENCH_OUTER")
    if named is None or "AUTOQA_DATA" not in os.environ:
        pytest.skip("AUTOQA_BENCH_OUTER or AUTOQA_DATA is not set")
    folder = Path(named)
    numbers = [n for n in range(3) if [*folder.glob(f"runs/split{n}/candidates/soup-*")]]
    return [judged(folder, number) for number in numbers]


def part(field: Field, names: Sequence[str] | None = None) -> Part:
    """Some candidates' predictions, as pools are scored."""
    candidates = [each for each in field.candidates if names is None or each.id in names]
    return Part(field.examples, field.windows, candidates)  # type: ignore[arg-type]


def chosen(split: Judged, names: Sequence[str], rule: DecisionRule) -> Pick:
    """What a rule selects of some candidates by the study's own public part."""
    run = split.run
    public = run.folder.load_examples("public")
    contenders = [
        replace(each, logits=load_logits(run.folder, each.id, "public"))
        for each in split.fields["hindi"].candidates
        if each.id in names
    ]
    windows = {
        group: load_windows(run.folder.windows_path(group, "public"))
        for group in {each.group for each in contenders}
    }
    table = run.study.selection
    limits = EnsembleLimits(seats=table.seats, recipe_cap=table.recipe_cap, quota=table.quota)
    return Selector(contenders, windows, public, limits, seed=run.study.seed).select(rule)


def test_search_vs_before() -> None:
    gains: dict[str, list[tuple[float, float]]] = {}
    for split in splits():
        names = [each.id for each in split.records]
        trained = [each.id for each in split.records if not each.ingredients]
        before, now = chosen(split, trained, "mean"), chosen(split, names, "shrinkage")
        print(f"\n{split.run.study.name}")
        for what, pick in (("before", before), ("now", now)):
            members = ", ".join(f"{seat.id} x {seat.weight:g}" for seat in pick.members)
            print(f"  {what}: {pick.chosen}: {members}")
        for name, field in split.fields.items():
            pair = part(field).worth(before), part(field).worth(now)
            gains.setdefault(name, []).append(pair)
            group = split.records[0].group
            alone = {each: part(field).jaccard([(each, 1)], group) for each in names}
            mean = part(field).jaccard([(each, 1) for each in trained], group)
            best = max(trained, key=alone.__getitem__)
            print(
                f"  {name}: before {pair[0]:.4f}, now {pair[1]:.4f}, ratio {pair[1] / pair[0]:.3f}"
            )
            print(f"    best trained {best} {alone[best]:.4f}, mean logits of all {mean:.4f}")
            print("    " + ", ".join(f"{each} {value:.3f}" for each, value in alone.items()))
    for name, pairs in gains.items():
        before, now = np.array(pairs).T
        line = {"hindi": "search_vs_before", "unseen language": "zero_shot_vs_before"}[name]
        record(
            Comparison(
                name=line,
                ratio=round(float(now.mean() / before.mean()), 4),
                a=round(float(before.mean()), 4),
                b=round(float(now.mean()), 4),
                unit="jaccard",
                equal=True,  # the same questions
                rounds=len(pairs),
            )
        )


@pytest.mark.parametrize("name", ["hindi", "unseen language"])
def test_soup_vs_best_single(name: str) -> None:
    """On random halves by document: the mean of all ends' weights, and the single that led."""
    gains: list[float] = []
    sides: list[tuple[float, float]] = []
    for split in splits():
        field = split.fields[name]
        trained = [each.id for each in split.records if not each.ingredients]
        soup = max(
            (each for each in split.records if each.ingredients), key=lambda r: len(r.ingredients)
        )
        rows_of = numbered([example.document for example in field.examples])
        rng = np.random.default_rng(0)
        for _ in range(SPLITS):
            order = rng.permutation(int(rows_of.max()) + 1)
            seen = np.isin(rows_of, order[: max(2, round(0.4 * len(order)))])
            public, private = (part(part_of(field, np.flatnonzero(side))) for side in (seen, ~seen))
            led = max(trained, key=lambda each: public.jaccard([(each, 1)], soup.group))
            pair = (
                private.jaccard([(led, 1)], soup.group),
                private.jaccard([(soup.id, 1)], soup.group),
            )
            sides.append(pair)
            gains.append(pair[1] - pair[0])
    if not sides:
        pytest.skip("no split was searched")
    single, averaged = np.array(sides).mean(axis=0)
    quantiles = " ".join(f"{value:+.3f}" for value in np.quantile(gains, [0, 0.05, 0.5, 0.95, 1]))
    print(
        f"\n{name}: soup {averaged:.4f}, leading single {single:.4f}, better in "
        f"{np.mean(np.array(gains) > 0):.0%} of {len(gains)}; quantiles 0 5 50 95 100: {quantiles}"
    )
    record(
        Comparison(
            name=f"soup_vs_best_single {name}",
            ratio=round(float(averaged / single), 4),
            a=round(float(single), 4),
            b=round(float(averaged), 4),
            unit="jaccard",
            equal=True,  # the same questions
            rounds=len(gains),
        )
    )


@pytest.mark.parametrize("documents", [3, 7, 20])
@pytest.mark.parametrize("soups", [False, True])
def test_selector_vs_before_real(documents: int, *, soups: bool) -> None:
    """The rules on judging questions: Hindi articles, or contexts of the unseen language."""
    name = "hindi" if documents < 8 else "unseen language"
    rows = []
    for split in splits():
        field = split.fields[name]
        names = [each.id for each in split.records if soups or not each.ingredients]
        some = Field(field.examples, field.windows, list(part(field, names).candidates))
        rows_of = numbered([example.document for example in field.examples])
        total = int(rows_of.max()) + 1
        rng = np.random.default_rng(documents)
        for number in range(SPLITS // 2):
            seen = np.isin(rows_of, rng.permutation(total)[:documents])
            public, truth = (part(part_of(some, np.flatnonzero(side))) for side in (seen, ~seen))
            rows.append(worths(public, truth, number))
    if not rows:
        pytest.skip("no split was searched")
    report(f"{name}, {documents} documents, {'with' if soups else 'without'} soups", rows)
