from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa import recipes
from autoqa.api import TrainingProtocol
from autoqa.config.study import RecipeTable
from autoqa.errors import ConfigError
from autoqa.proposals.first_points import points, protocol_parameters
from autoqa.proposals.space import Space, tidy_rate
from autoqa.recipes import Method
from autoqa.trials.optuna_study import check_unchanged

LANGUAGES = {"squad": ("en",), "tydi": ("bn", "te"), "chaii": ("hi", "ta")}
PROTOCOL = TrainingProtocol(learning_rate=3e-5, length=384, stride=128)


def space(protocol: TrainingProtocol = PROTOCOL, **recipe: Any) -> Space:
    table = {
        "stages": {"low": 1, "high": 3},
        "length": {"low": 256, "high": 512, "step": 64},
        "portions": [
            {"source": "squad", "include": "search", "share": [0.5, 1.0]},
            {"source": "tydi", "languages": "search", "negatives": [0.0, 0.5]},
            {"source": "chaii", "name": "chaii2", "include": "search"},
        ],
        "augmentations": [{"type": "cutout", "include": "search", "share": 0.1}],
        **recipe,
    }
    return Space("e5", protocol, RecipeTable.model_validate(table), LANGUAGES)


@pytest.mark.parametrize("answers", ["first", "each", "draw"])
def test_what_rows_with_several_answers_teach_is_part_of_the_recipe(answers: str) -> None:
    plain, found = (
        each.decode(protocol_parameters(each)) for each in (space(), space(answers=answers))
    )
    assert found[0].method.answers == answers
    same = answers == "first"
    assert (found[0].hash == plain[0].hash) is same, "the default names what it always did"
    assert ("answers" in found[0].to_dict()["method"]) is not same
    said = any(f"of several answers in a row: {answers}" in line for line in recipes.lines(*found))
    assert said is not same
    assert recipes.Recipe.from_dict(found[0].to_dict()) == found[0]


def trial(seed: int) -> optuna.Trial:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()


def test_names_are_readable_and_only_what_is_searched_is_a_parameter() -> None:
    assert list(space().distributions()) == [
        "e5.learning_rate",
        "e5.stages",
        "e5.length_1",
        "e5.length_2",
        "e5.length_3",
        "e5.squad.include",
        "e5.squad.position",
        "e5.squad.share",
        "e5.tydi.position",
        "e5.tydi.negatives",
        "e5.tydi.lang_bn",
        "e5.tydi.lang_te",
        "e5.chaii2.include",
        "e5.chaii2.position",
        "e5.cutout",
    ]
    fixed = space(
        stages={"low": 1, "high": 1},
        length=None,
        portions=[{"source": "squad"}],
        augmentations=[],
        learning_rate=1.0,
    )
    assert fixed.distributions() == {}
    recipe, rate = fixed.decode({})
    assert recipes.line(recipe, rate) == "[squad] 384/128; lr 3e-05"


def test_how_similar_is_searched_and_shown() -> None:
    table = [{"source": "squad", "similar": [0.3, 1.0]}, {"source": "chaii"}]
    searched = space(portions=table, target="chaii", stages={"low": 1, "high": 1}, length=None)
    assert "e5.squad.similar" in searched.distributions()
    parameters = {"e5.learning_rate": 3e-5, "e5.squad.similar": 0.3, "e5.cutout": False}
    recipe, rate = searched.decode(parameters)
    line = "[chaii + squad of the 30% most similar] 384/128; lr 3e-05"
    assert recipes.line(recipe, rate) == line
    everything, _ = searched.decode({**parameters, "e5.squad.similar": 1.0})
    assert everything.hash != recipe.hash
    assert protocol_parameters(searched)["e5.squad.similar"] == 1.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_draw_is_canonical(seed: int) -> None:
    drawn = trial(seed)
    recipe, rate = space().suggest(drawn)
    lengths = [stage.length for stage in recipe.stages]
    assert lengths == sorted(lengths)
    for stage in recipe.stages:
        assert stage.portions
        assert list(stage.portions) == sorted(
            stage.portions, key=lambda p: (p.source, p.languages or (), p.share, p.negatives)
        )
        assert 0 <= stage.stride < stage.length
        assert all(p.languages is None or len(p.languages) < 2 for p in stage.portions)
    assert 1e-5 * 0.95 <= rate <= 9e-5 * 1.05
    assert float(f"{rate:.2g}") == rate
    # The stored parameters say the same again.
    assert space().decode(drawn.params) == (recipe, rate)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_parameters_without_a_meaning_are_not_drawn(seed: int) -> None:
    drawn = trial(seed)
    space().suggest(drawn)
    names = {name.removeprefix("e5.") for name in drawn.params}
    if not drawn.params["e5.squad.include"]:
        assert not names & {"squad.share", "squad.position"}
    assert ("length_3" in names) == (drawn.params["e5.stages"] == 3)


def test_the_protocol_is_a_point_of_the_space() -> None:
    parameters = protocol_parameters(space())
    known = space().distributions()
    assert parameters.keys() == known.keys()
    for name, value in parameters.items():
        assert known[name]._contains(known[name].to_internal_repr(value)), name
    recipe, rate = space().decode(parameters)
    assert rate == 3e-5
    assert recipes.lines(recipe, rate) == [
        "stage 1: [chaii + squad + tydi negatives 0%] 384/128",
        f"learning rate 3e-05, recipe {recipe.hash}",
    ]


def test_position_decides_the_stage_and_lengths_never_decrease() -> None:
    point = protocol_parameters(space()) | {
        "e5.stages": 2,
        "e5.squad.position": 0.9,
        "e5.tydi.position": 0.1,
        "e5.chaii2.position": 1.0,
        "e5.length_1": 512,
        "e5.length_2": 256,
        "e5.cutout": True,
    }
    recipe, _ = space().decode(point)
    assert [[p.source for p in stage.portions] for stage in recipe.stages] == [
        ["tydi"],
        ["chaii", "squad"],
    ]
    assert [(stage.length, stage.stride) for stage in recipe.stages] == [(256, 85), (512, 171)]
    assert recipe.stages[0].augmentations[0].options == (("share", 0.1),)


def test_empty_stages_are_dropped_and_nothing_may_be_selected() -> None:
    point = protocol_parameters(space()) | {"e5.stages": 3}
    for name in ("squad", "tydi", "chaii2"):
        point[f"e5.{name}.position"] = 0.5
    assert len(space().decode(point)[0].stages) == 1
    off = {"e5.squad.include": False, "e5.chaii2.include": False}
    off |= {"e5.tydi.lang_bn": False, "e5.tydi.lang_te": False}
    assert space().decode(point | off)[0].stages == ()


def test_all_languages_are_one_recipe_however_they_are_written() -> None:
    def hash_of(languages: Any) -> str:
        portions = [{"source": "tydi", "languages": languages, "position": 0.0}]
        made = space(portions=portions)
        return made.decode(protocol_parameters(made))[0].hash

    assert hash_of("search") == hash_of(None) == hash_of(["te", "bn"])
    assert hash_of(["te"]) != hash_of(None)


def test_a_language_that_a_source_lacks_is_named() -> None:
    made = space(portions=[{"source": "tydi", "languages": ["bn", "fi"]}])
    assert made.check() == [
        "recipe.portions[0].languages: source 'tydi' has no 'fi'; it has bn, te"
    ]


def test_stride_as_a_share_stays_below_the_length() -> None:
    made = space(stride=0.999, length={"low": 16, "high": 16})
    assert made.decode(protocol_parameters(made))[0].stages[0].stride == 15


@pytest.mark.parametrize(
    "rate, tidy", [(3.14159e-5, 3.1e-5), (1.25e-5, 1.25e-5), (3e-5, 3e-5), (6.5e-6, 6.5e-6)]
)
def test_sampled_rates_are_rounded_and_written_ones_are_not(rate: float, tidy: float) -> None:
    assert tidy_rate(rate) == tidy


def test_changed_choices_are_found() -> None:
    drawn = trial(0)
    drawn.suggest_categorical("e5.squad.share", [0.5, 1.0])
    check_unchanged(space(), [drawn.study.trials[0]])
    other = space(portions=[{"source": "squad", "share": [0.25, 1.0]}])
    with pytest.raises(ConfigError, match=r"e5\.squad\.share: .*0\.5, 1\.0 .* 0\.25, 1\.0 now"):
        check_unchanged(other, [drawn.study.trials[0]])


def test_enqueued_points_are_completed_by_the_protocol() -> None:
    raw = ({"learning_rate": 2e-5, "squad": {"share": 0.5}, "e5.tydi.lang_bn": False},)
    protocol, mine = points({"e5": space()}, raw)["e5"]
    assert (protocol.origin, mine.origin) == ("protocol", "enqueued 1")
    changed = {k: v for k, v in mine.parameters.items() if protocol.parameters[k] != v}
    assert changed == {
        "e5.learning_rate": 2e-5,
        "e5.squad.share": 0.5,
        "e5.tydi.lang_bn": False,
    }


def test_all_wrong_points_are_named_at_once() -> None:
    raw = (
        {"backbone": "e6"},
        {"squad.shar": 1.0, "learning_rate": 1.0, "cutout": 1, "length_1": 300},
        {"squad.share": 0.3, "stages": "two"},
    )
    with pytest.raises(ConfigError) as caught:
        points({"e5": space()}, raw)
    assert list(caught.value.problems) == [
        "search.enqueue[0].backbone: 'e6' is none of e5",
        "search.enqueue[1].squad.shar: the space has no parameter e5.squad.shar; "
        "did you mean e5.squad.share? (`--dry-run` lists all)",
        "search.enqueue[1].learning_rate: 1.0 is outside 1e-05 to 9e-05, or between its steps",
        "search.enqueue[1].cutout: 1 is none of false, true",
        "search.enqueue[1].length_1: 300 is outside 256 to 512, or between its steps",
        "search.enqueue[2].squad.share: 0.3 is none of 0.5, 1.0",
        "search.enqueue[2].stages: 'two' is not a number",
    ]


def test_methods_are_searched_by_key_and_off_in_the_protocol() -> None:
    table = {"schedule": ["wsd", "linear"], "restart": "search", "dropout_samples": [1, 4]}
    made = space(method=table)
    names = [name for name in made.distributions() if ".method." in name]
    assert names == ["e5.method.schedule", "e5.method.restart", "e5.method.dropout_samples"]
    point = protocol_parameters(made)
    assert made.decode(point)[0].method == Method(schedule="wsd")
    point |= {"e5.method.restart": True, "e5.stages": 1}
    assert not made.decode(point)[0].method.restart  # nothing stands before the only stage
    assert made.decode(point | {"e5.stages": 3})[0].method.restart


@given(seed=st.integers(0, 1000))
def test_listed_rates_are_the_only_ones_but_for_a_slower_retry(seed: int) -> None:
    made = space(learning_rate=[0.5, 1.0, 2.0])
    drawn = trial(seed)
    assert made.suggest(drawn)[1] in (1.5e-5, 3e-5, 6e-5)
    assert made.decode(protocol_parameters(made))[1] == 3e-5
    slower = optuna.create_study()
    low = protocol_parameters(made) | {"e5.learning_rate": 1.5e-5}
    assert made.slower(low)["e5.learning_rate"] == 7.5e-6
    slower.enqueue_trial(made.slower(low))
    assert made.suggest(slower.ask(), slower=True)[1] == 7.5e-6


def test_the_factor_on_the_rate_keeps_the_key_of_the_file() -> None:
    table = space(learning_rate=[1.0, 2.0]).recipe
    assert table.learning_rate_factor == (1.0, 2.0)
    assert table.model_dump(mode="json")["learning_rate"] == [1.0, 2.0]
    with pytest.raises(ValueError, match="learning_rate_factor"):
        space(learning_rate_factor=2.0)


def test_only_the_learning_rate_of_a_slower_point_differs() -> None:
    made = space()
    point = protocol_parameters(made)
    assert made.slower(point) == {**point, "e5.learning_rate": 1.5e-5}
    assert made.slower({}) == {"e5.learning_rate": 1.5e-5}, "the protocol's rate is the centre"
    assert made.owns(point)
    assert not made.owns({"e55.stages": 1})


def test_listed_positions_keep_a_slot_out_of_the_first_stage() -> None:
    portions = [
        {"source": "squad", "position": 0.0},
        {"source": "chaii", "position": [0.5, 0.9]},
    ]
    made = space(portions=portions, stages={"low": 3, "high": 3})
    assert "e5.squad.position" not in made.distributions()
    point = protocol_parameters(made)
    assert point["e5.chaii.position"] == 0.9
    for position in (0.5, 0.9):
        recipe, _ = made.decode(point | {"e5.chaii.position": position})
        assert [stage.portions[0].source for stage in recipe.stages] == ["squad", "chaii"]


def method_of(made: Space, **changes: Any) -> Method:
    parameters = protocol_parameters(made) | {f"e5.method.{k}": v for k, v in changes.items()}
    return made.decode(parameters)[0].method


def test_what_a_method_leaves_off_has_no_details() -> None:
    searched = {
        "adversary": ["none", "awp", "fgm"],
        "adversary_size": [0.5, 1.0],
        "mlm_epochs": [0.0, 1.0],
        "mlm_whole_words": "search",
    }
    made = space(method=searched)
    assert {f"e5.method.{key}" for key in searched} <= set(made.distributions())
    assert method_of(made) == method_of(made, adversary_size=0.5, mlm_whole_words=True) == Method()
    on = method_of(made, adversary="awp", adversary_size=0.5, mlm_epochs=1.0, mlm_whole_words=True)
    assert on == Method(adversary="awp", adversary_size=0.5, mlm_epochs=1.0, mlm_whole_words=True)
    for seed in range(20):
        asked = trial(seed)
        made.suggest(asked)
        off = asked.params["e5.method.adversary"] == "none"
        assert ("e5.method.adversary_size" not in asked.params) == off


def test_methods_that_contradict_a_protocol_are_named_before_the_search() -> None:
    protocol = PROTOCOL.model_copy(update={"dropout": 0.0, "compile": True})
    method = {"rdrop": [0.0, 1.0], "adversary": ["none", "fgm"]}
    dropout, adversary = space(protocol, method=method).check()
    assert dropout.startswith(
        "recipe.method.rdrop: compares two passes with different dropout, but "
    )
    assert "set backbones.e5.protocol.dropout to 0.1" in dropout
    assert adversary.startswith("recipe.method.adversary: 'fgm' reaches into the encoder, which ")
    assert space(protocol, method={"rdrop": 1.0, "dropout_samples": 2}).check() == []
    kept = PROTOCOL.model_copy(update={"cache_frozen": True})
    (frozen,) = space(kept, method={"adversary": "fgm"}).check()
    assert frozen.startswith("recipe.method.adversary: 'fgm' needs to go through the embeddings, ")
    assert space(method=method).check() == []
