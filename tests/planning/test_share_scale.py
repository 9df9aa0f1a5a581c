"""Smaller shares make smaller recipes, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from autoqa.planning.share_scale import ShareScale, canonical, shortened
from autoqa.recipes import Portion, Recipe, Stage

RECIPE = Recipe(
    (
        Stage((Portion("squad", share=0.09), Portion("target", share=2.0)), 256, 64),
        Stage((Portion("target", negatives=0.3),), 256, 64),
    )
)


def shares(recipe: Recipe) -> list[list[tuple[str, float]]]:
    return [[(each.source, each.share) for each in stage.portions] for stage in recipe.stages]


def test_shares_are_multiplied_and_the_target_is_repeated_less() -> None:
    scale = ShareScale({"squad": 0.25, "target": 0.2}, "target")
    assert shares(scale.applied(RECIPE)) == [
        [("squad", 0.0225), ("target", 1.0)],
        [("target", 1.0)],
    ]
    assert shares(ShareScale({"target": 0.75}, "target").applied(RECIPE))[0][1] == ("target", 1.5)


def test_nothing_scaled_is_the_same_recipe() -> None:
    assert ShareScale().applied(RECIPE) is RECIPE
    assert ShareScale({"other": 0.5}).applied(RECIPE).hash == RECIPE.hash


def test_two_portions_that_become_alike_stand_in_canonical_order() -> None:
    twice = Portion("target", share=2.0, negatives=0.1), Portion("target", negatives=0.3)
    stage = Stage(canonical(twice), 256, 64)
    assert [each.negatives for each in stage.portions] == [0.3, 0.1]
    (scaled,) = ShareScale({"target": 0.5}, "target").applied(Recipe((stage,))).stages
    assert [each.negatives for each in scaled.portions] == [0.1, 0.3]


def test_what_is_stored_comes_back() -> None:
    scale = ShareScale({"squad": 0.25}, "target")
    assert ShareScale.from_json(scale.as_json()) == scale
    assert ShareScale.from_json(None) == ShareScale()


@given(st.floats(0.05, 0.99))
def test_a_shortened_recipe_has_less_of_every_portion(share: float) -> None:
    for before, after in zip(RECIPE.stages, shortened(RECIPE, share).stages, strict=True):
        for old, new in zip(before.portions, after.portions, strict=True):
            assert abs(new.share / old.share - share) < 0.006 * share
