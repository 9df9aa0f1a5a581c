"""Effects that were planted are found, those that were not are not called clear."""

from dataclasses import replace

import numpy as np
import pytest

from autoqa.analysis.effects import Effects, effects_of, study_effects
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.analysis.recipe_features import conditions
from autoqa.recipes import RATE_OF_FURTHER_RUN, Portion, Recipe, Stage
from tests import effect_studies
from tests.effect_studies import NULL, PLANTED, simulate

STUDIES = 12


def told(study: effect_studies.Simulated) -> Effects:
    return effects_of(study.records, study.scores, study.documents, "jaccard")


def planted(found: Effects) -> dict[str, float]:
    """Effects by the names that they were planted under; backbones are compared either way."""
    effects = {each.name: each.estimate.effect for each in found.found}
    if "e5 instead of minilm" in effects:
        effects["minilm instead of e5"] = -effects["e5 instead of minilm"]
    return effects


def test_nine_of_ten_signs_are_recovered_and_nothing_is_clear_that_is_not_there() -> None:
    right = asked = mistaken = nulls = 0
    for seed in range(STUDIES):
        found = told(simulate(seed, 50))
        effects = planted(found)
        right += sum(effects.get(name, 0.0) * true > 0 for name, true in PLANTED.items())
        asked += len(PLANTED)
        clear = {each.name: each.estimate.clear for each in found.found}
        mistaken += sum(clear.get(name, False) for name in NULL)
        nulls += sum(name in clear for name in NULL)
    assert right >= 0.9 * asked
    assert mistaken <= 0.05 * nulls


def test_few_runs_without_any_effect_show_none() -> None:
    clear = total = 0
    for seed in range(STUDIES):
        found = told(simulate(seed, 14, effects={})).found
        clear += sum(each.estimate.clear for each in found)
        total += len(found)
    assert total > 100
    assert clear <= 0.05 * total


def test_a_condition_of_a_branch_is_estimated_among_the_runs_of_the_branch() -> None:
    found = told(simulate(1, 80))
    language = next(each for each in found.found if each.name == "tydi: with bn")
    tydi = next(each for each in found.found if each.name == "with tydi")
    assert language.kind == "language"
    assert language.runs == tydi.with_it < found.runs
    assert language.estimate.effect == pytest.approx(PLANTED["tydi: with bn"], abs=0.03)


def test_what_always_came_together_is_named() -> None:
    study = simulate(2, 40)
    both = [
        record if not record.trial % 2 else replace(record, recipe=_without(record.recipe, "nq"))
        for record in study.records
    ]
    twins = [
        replace(each, recipe=_with_twin(each.recipe)) for each in both
    ]  # a source that is there whenever nq is
    found = effects_of(twins, study.scores, study.documents, "jaccard")
    nq = next(each for each in found.found if each.name == "with nq")
    assert nq.entangled == "with twin"


def _without(recipe: dict, source: str) -> dict:
    changed = Recipe.from_dict(recipe)
    stages = [
        replace(stage, portions=tuple(p for p in stage.portions if p.source != source))
        for stage in changed.stages
    ]
    return replace(changed, stages=tuple(each for each in stages if each.portions)).to_dict()


def _with_twin(recipe: dict) -> dict:
    changed = Recipe.from_dict(recipe)
    sources = [p.source for stage in changed.stages for p in stage.portions]
    if "nq" not in sources:
        return recipe
    last = replace(changed.stages[-1], portions=(*changed.stages[-1].portions, Portion("twin")))
    return replace(changed, stages=(*changed.stages[:-1], last)).to_dict()


def test_a_condition_that_one_run_alone_has_is_untried() -> None:
    study = simulate(3, 20)
    rare = Recipe((Stage((Portion("target"), Portion("rare")), 384, 128),)).to_dict()
    records = [replace(study.records[0], recipe=rare), *study.records[1:]]
    found = effects_of(records, study.scores, study.documents, "jaccard")
    assert "with rare" in found.untried
    assert "with rare" not in {each.name for each in found.found}


def test_a_learning_rate_is_compared_with_that_of_its_own_backbones_first_run() -> None:
    recipe = Recipe((Stage((Portion("target"),), 384, 128),))
    records = [
        effect_studies.record(0, "e5", recipe, 1e-5),
        effect_studies.record(1, "minilm", recipe, 4e-4),
        effect_studies.record(2, "minilm", recipe, 8e-4),
        effect_studies.record(3, "e5", recipe, 0.5e-5),
    ]
    by_name = {each.name: each for each in conditions(records)}
    assert by_name["learning rate twice the first run's"].values == pytest.approx((0, 0, 1, -1))
    squares = by_name["learning rate off the first run's by a factor of 2"].values
    assert squares == pytest.approx((0, 0, 1, 1))


def test_going_on_from_a_mean_is_a_condition_and_halves_no_learning_rate() -> None:
    recipe = Recipe((Stage((Portion("target"),), 384, 128),))
    first = effect_studies.record(0, "e5", recipe, 1e-5)
    rate, begun = RATE_OF_FURTHER_RUN * 1e-5, (first.id,)
    second = replace(effect_studies.record(1, "e5", recipe, rate), begins_with=begun)
    by_name = {each.name: each for each in conditions([first, second])}
    assert by_name["begins with a mean of earlier runs"].values == (0.0, 1.0)
    assert by_name["learning rate twice the first run's"].values == pytest.approx((0, 0))


def test_columns_of_a_branch_are_centred_and_nothing_elsewhere() -> None:
    study = simulate(4, 30)
    for each in conditions(study.records):
        if each.varied:
            column = each.column()
            assert column.sum() == pytest.approx(0, abs=1e-9)
            absent = np.array([value is None for value in each.values])
            assert not column[absent].any()


def test_a_study_of_few_runs_says_how_many_it_takes(finished: StudyRun) -> None:
    found = study_effects(build_leaderboard(finished))
    assert found.runs == 4
    assert found.found == ()
    assert found.too_few == "4 runs are too few to say what helped; it takes 8 or more."


def test_runs_that_differ_in_nothing_are_said_to() -> None:
    recipe = Recipe((Stage((Portion("target"),), 384, 128),))
    records = [effect_studies.record(n, "e5", recipe, 1e-5) for n in range(9)]
    found = effects_of(records, np.random.default_rng(0).random((9, 4)), list("aabb"), "jaccard")
    assert found.too_few == "No two runs differ in anything that could have helped."
    assert effects_of([], np.zeros((0, 4)), list("aabb"), "jaccard").found == ()
