"""Which experiments there are about a recipe, and what each trains."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from autoqa.ablation.arms import FACTORS, Arm, Base, find_arms
from autoqa.api import TrainingProtocol
from autoqa.config.study import RecipeTable
from autoqa.errors import ConfigError
from autoqa.proposals.first_points import protocol_parameters
from autoqa.proposals.space import Space
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage, TrainingRun

CUTOUT = AugmentationUse("cutout", (("share", 0.1),))
CROP = AugmentationUse("random-crop")
PROTOCOL = TrainingProtocol(learning_rate=1e-5, length=384, stride=128)
LANGUAGES = {"squad": ("en",), "tydi": ("bn", "fi", "te"), "chaii": ("hi", "ta"), "nq": ("en",)}
SLOTS = [
    {"source": "squad", "include": "search", "share": [0.5, 1.0]},
    {"source": "tydi", "languages": "search"},
    {"source": "chaii"},
    {"source": "chaii", "name": "chaii-again", "include": "search", "share": [0.25]},
    {"source": "nq", "include": "search", "similar": [0.5]},
]

RECIPE = Recipe(
    (
        Stage((Portion("squad"), Portion("tydi", ("bn", "te"), 0.5)), 256, 64, (CUTOUT,)),
        Stage((Portion("chaii"),), 384, 128, (CUTOUT,)),
    )
)


def space(**recipe: Any) -> Space:
    table = {
        "stages": {"low": 1, "high": 2},
        "portions": SLOTS,
        "augmentations": [
            {"type": "random-crop", "include": "search"},
            {"type": "cutout", "include": "search", "share": 0.1},
        ],
        **recipe,
    }
    return Space("e5", PROTOCOL, RecipeTable.model_validate(table), LANGUAGES)


def base(recipe: Recipe = RECIPE, slots: str = "squad tydi chaii") -> Base:
    return Base("t0001-100", "e5", TrainingRun(recipe, 1e-5, 0), 1.0, frozenset(slots.split()))


def arms(factor: str, recipe: Recipe = RECIPE, **table: Any) -> dict[str, Arm]:
    return {arm.name: arm for arm in find_arms(base(recipe), space(**table), [factor])[0]}


def uses(arm: Arm) -> list[list[str]]:
    return [[use.type for use in stage.augmentations] for stage in arm.recipe.stages]


def portions(arm: Arm) -> list[list[str]]:
    return [
        [f"{each.source}({','.join(each.languages or ())})" for each in stage.portions]
        for stage in arm.recipe.stages
    ]


def test_augmentations_leave_all_stages_or_join_them_in_the_files_order() -> None:
    found = arms("augmentations")
    assert list(found) == ["without cutout", "with random-crop"]
    assert uses(found["without cutout"]) == [[], []]
    assert uses(found["with random-crop"]) == [["random-crop", "cutout"]] * 2
    assert found["without cutout"].change == "left out"
    assert found["with random-crop"].change == "added"


def test_stages_and_the_appearances_of_a_source_are_left_out() -> None:
    twice = Recipe(
        (RECIPE.stages[0], Stage((Portion("chaii"), Portion("squad", None, 0.5)), 384, 128))
    )
    found = arms("stages", twice)
    assert list(found) == [
        "without stage 1",
        "without stage 2",
        "without portion 1 (squad in stage 1)",
        "without portion 4 (squad in stage 2)",
        "with portion chaii-again",
    ]
    assert portions(found["without stage 1"]) == [["chaii()", "squad()"]]
    assert portions(found["without portion 1 (squad in stage 1)"]) == [
        ["tydi(bn,te)"],
        ["chaii()", "squad()"],
    ]
    added = found["with portion chaii-again"].recipe.stages[1].portions
    assert Portion("chaii", share=0.25) in added, "in the last part of the recipe, as in the file"


def test_a_stage_of_one_portion_is_left_out_once() -> None:
    late = Stage((Portion("chaii", share=0.5), Portion("squad")), 384, 128)
    assert list(arms("stages", Recipe((RECIPE.stages[1], late))))[:3] == [
        "without stage 1",
        "without stage 2",
        "without portion 2 (chaii in stage 2)",
    ]


def test_sources_are_left_out_and_added_as_the_protocol_has_them() -> None:
    found = arms("sources")
    assert list(found) == [
        "without source squad",
        "without source tydi",
        "without source chaii",
        "with source nq",
    ]
    assert portions(found["without source chaii"]) == [["squad()", "tydi(bn,te)"]]
    assert found["without source chaii"].recipe.stages[0].length == 256
    assert Portion("nq", similar=0.5) in found["with source nq"].recipe.stages[1].portions


def test_languages_leave_every_portion_that_has_them() -> None:
    found = arms("languages")
    assert list(found) == [
        *(f"without language {name}" for name in ("bn", "en", "hi", "ta", "te")),
        "with language fi",
    ]
    assert portions(found["without language en"]) == [["tydi(bn,te)"], ["chaii()"]]
    assert portions(found["without language hi"]) == [["squad()", "tydi(bn,te)"], ["chaii(ta)"]]
    (_, tydi), _ = (stage.portions for stage in found["with language fi"].recipe.stages)
    assert tydi.languages is None, "all languages have one way to be written"


def test_orders() -> None:
    found = arms("order")
    assert list(found) == ["two-stage", "shuffled", "reversed"]
    assert found["two-stage"].recipe.method.restart
    assert portions(found["shuffled"]) == [["chaii()", "squad()", "tydi(bn,te)"]]
    assert portions(found["reversed"]) == [["chaii()"], ["squad()", "tydi(bn,te)"]]
    assert [stage.length for stage in found["reversed"].recipe.stages] == [256, 384]
    assert {found[name].change for name in ("shuffled", "reversed")} == {"instead"}
    restarted = Recipe(RECIPE.stages, Method(restart=True))
    found = arms("order", restarted)
    assert found["one schedule"].change == "left out"
    assert not found["one schedule"].recipe.method.restart
    assert not found["shuffled"].recipe.method.restart


def test_methods_go_back_to_the_plain_way_with_what_depends_on_them() -> None:
    method = Method(adversary="awp", adversary_size=2.0, schedule="wsd", mlm_epochs=1.0)
    table = {
        "schedule": ["linear", "cosine", "wsd"],
        "adversary": ["none", "awp"],
        "mlm_epochs": [1.0],
        "mlm_whole_words": "search",
        "rdrop": [0.0, 1.0],
    }
    found = arms("methods", Recipe(RECIPE.stages, method), method=table)
    assert {name: arm.recipe.method for name, arm in found.items()} == {
        "without schedule = wsd": replace(method, schedule="linear"),
        "with schedule = cosine": replace(method, schedule="cosine"),
        "without adversary = awp": replace(method, adversary="none", adversary_size=1.0),
        "without adversary_size = 2.0": replace(method, adversary_size=1.0),
        "with rdrop = 1.0": replace(method, rdrop=1.0),
        "without mlm_epochs = 1.0": replace(method, mlm_epochs=0.0),
        "with mlm_whole_words = true": replace(method, mlm_whole_words=True),
    }
    assert found["with schedule = cosine"].change == "instead"


def test_what_is_all_there_is_cannot_be_left_out() -> None:
    alone = Recipe((Stage((Portion("squad"),), 256, 64),))
    found, notes = find_arms(base(alone, "squad"), space(), ["sources"])
    assert [arm.name for arm in found] == [
        "with source tydi",
        "with source chaii",
        "with source nq",
    ]
    assert notes == ["without source squad: nothing would be left to train on"]


def test_the_protocol_can_be_a_base() -> None:
    own = space()
    recipe = own.decode(protocol_parameters(own))[0]
    slots = " ".join(table.slot for table in own.recipe.portions)
    names = [arm.name for arm in find_arms(base(recipe, slots), own)[0]]
    assert "with random-crop" in names
    assert "with cutout" in names
    assert not any(name.startswith(("with source", "with portion")) for name in names)


PLAIN = {
    "augmentations": [],
    "portions": [{"source": "squad"}],
}


@pytest.mark.parametrize("factor", sorted({*FACTORS} - {"sources"}))
def test_what_a_study_does_not_use_gets_a_sentence(factor: str) -> None:
    alone = Recipe((Stage((Portion("squad"),), 256, 64),))
    with pytest.raises(ConfigError) as caught:
        find_arms(base(alone, "squad"), space(**PLAIN), [factor])
    first, second = caught.value.problems
    assert first == "t0001-100: there is nothing to ablate"
    assert second.startswith(f"{factor}: the base ")


def test_of_several_factors_only_what_is_unused_is_told() -> None:
    alone = Recipe((Stage((Portion("squad"),), 256, 64, (CUTOUT,)),))
    found, notes = find_arms(base(alone, "squad"), space(), ["augmentations", "order"])
    assert [arm.factor for arm in found] == ["augmentations"] * 2
    assert notes == ["order: the base has one stage, which has no order"]


@pytest.mark.parametrize(
    "only, names",
    [
        ("squad", ["without source squad"]),
        ("source squad", ["without source squad"]),
        ("with source nq", ["with source nq"]),
        ("cutout", ["without cutout"]),
        ("stage 2", ["without stage 2"]),
        ("te", ["without language te"]),
        ("rdrop", ["with rdrop = 0.5", "with rdrop = 1.0"]),
    ],
)
def test_one_thing_is_asked_for_by_its_name(only: str, names: list[str]) -> None:
    table = space(method={"rdrop": [0.0, 0.5, 1.0]})
    assert [arm.name for arm in find_arms(base(), table, only=only)[0]] == names


@pytest.mark.parametrize(
    "ask, sentence",
    [
        (
            lambda: find_arms(base(), space(), ["augmentation"]),
            "over 'augmentation': no such factor; did you mean 'augmentations'?",
        ),
        (
            lambda: find_arms(base(), space(), only="cutuot"),
            "only 'cutuot': neither base nor study file has it; did you mean 'cutout'?",
        ),
        (
            lambda: find_arms(base(), space(), ["order"], "zzz"),
            "only 'zzz': neither base nor study file has it; there are: two-stage, shuffled, "
            "reversed",
        ),
    ],
)
def test_unknown_names(ask: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask()
    assert str(caught.value) == sentence
