"""Effects of planted conditions: signs, coverage, and how often nothing is called something.

``AUTOQA_BENCH_STUDIES`` says how many searches are simulated for each number of runs.
"""

import os
from collections.abc import Mapping
from dataclasses import replace

import pytest

from autoqa.analysis.effects import Effect, Effects, effects_of
from tests.effect_studies import NULL, PLANTED, simulate

from .harness import Comparison, record

STUDIES = int(os.environ.get("AUTOQA_BENCH_STUDIES", "60"))
TURNED = "e5 instead of minilm"


def found_in(seed: int, runs: int, effects: Mapping[str, float]) -> Effects:
    study = simulate(seed, runs, effects=effects)
    return effects_of(study.records, study.scores, study.documents, "jaccard")


def by_name(found: Effects) -> dict[str, Effect]:
    """Effects by the names that they were planted under."""
    effects = {each.name: each for each in found.found}
    turned = effects.pop(TURNED, None)
    if turned is not None:
        old = turned.estimate
        estimate = replace(
            old,
            effect=-old.effect,
            low=-old.high,
            high=-old.low,
            wide_low=-old.wide_high,
            wide_high=-old.wide_low,
        )
        effects["minilm instead of e5"] = replace(turned, estimate=estimate)
    return effects


@pytest.mark.parametrize("runs", [8, 12, 20, 30, 50, 100, 200])
def test_planted_effects(runs: int) -> None:
    right = clear = covered = told = wrong = nulls = mistaken = 0
    for seed in range(STUDIES):
        effects = by_name(found_in(10_000 + seed, runs, PLANTED))
        for name, true in PLANTED.items():
            if name in effects:
                estimate = effects[name].estimate
                told += 1
                right += estimate.effect * true > 0
                clear += estimate.clear
                wrong += estimate.clear and estimate.effect * true < 0
                covered += estimate.low <= true <= estimate.high
        nulls += sum(name in effects for name in NULL)
        mistaken += sum(effects[name].estimate.clear for name in NULL if name in effects)
    asked = STUDIES * len(PLANTED)
    print(
        f"\n{runs} runs, {STUDIES} searches: signs right {right / asked:.3f}, clear "
        f"{clear / asked:.3f}, clear and wrong {wrong / asked:.4f}, 95 % intervals hold "
        f"{covered / told:.3f}, nulls called clear {mistaken / max(1, nulls):.4f} of {nulls}"
    )
    line = {"unit": "share of signs", "equal": True, "rounds": STUDIES}
    record(Comparison(name=f"effects_{runs}", ratio=None, a=0.9, b=round(right / asked, 3), **line))
    assert mistaken <= 0.05 * max(1, nulls)
    if runs >= 50:
        assert right >= 0.9 * asked


@pytest.mark.parametrize("runs", [8, 20, 50, 100])
def test_studies_without_any_effect(runs: int) -> None:
    shown = told = 0
    for seed in range(STUDIES):
        found = found_in(20_000 + seed, runs, {}).found
        shown += any(each.estimate.clear for each in found)
        told += 1
    print(f"\n{runs} runs without effects: {shown} of {told} studies call something clear")
    assert shown <= 0.05 * told + 2


def test_more_trials_are_forecast() -> None:
    """Of effects that so many more trials should make clear, how many those trials do."""
    kept = said = 0
    for seed in range(STUDIES):
        before = by_name(found_in(30_000 + seed, 40, PLANTED))
        for name in PLANTED:
            more = before[name].estimate.more_trials if name in before else None
            if more and more <= 60:
                after = by_name(found_in(30_000 + seed, 40 + more, PLANTED))
                kept += name in after and after[name].estimate.clear
                said += 1
    print(f"\nforecasts of up to 60 more trials that held: {kept} of {said}")
