"""Recipes with one thing left out, added, or in another order; each stays canonical."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any

from autoqa.planning.share_scale import canonical
from autoqa.proposals.method_space import GOVERNED
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage


def with_stages(recipe: Recipe, stages: Iterable[Stage]) -> Recipe | None:
    """The recipe with other stages, those without a portion left out.

    Returns:
        ``None`` where nothing is left to train on.
    """
    kept = tuple(
        replace(stage, portions=canonical(stage.portions)) for stage in stages if stage.portions
    )
    # One stage has nothing before it to restart from: one recipe, one hash.
    method = recipe.method if len(kept) > 1 else replace(recipe.method, restart=False)
    return Recipe(kept, method) if kept else None


def with_portions(recipe: Recipe, change: Callable[[Portion], Portion | None]) -> Recipe | None:
    """The recipe with each portion as it is changed.

    Args:
        recipe: The recipe.
        change: Says what takes a portion's place, or ``None`` for nothing.
    """
    return with_stages(
        recipe,
        (
            replace(stage, portions=tuple(each for each in map(change, stage.portions) if each))
            for stage in recipe.stages
        ),
    )


def without_portion(recipe: Recipe, number: int, place: int) -> Recipe | None:
    """The recipe without one appearance of a source.

    Args:
        recipe: The recipe.
        number: Of the stage, from 0.
        place: Among its portions, from 0.
    """
    stages = list(recipe.stages)
    portions = stages[number].portions
    stages[number] = replace(stages[number], portions=portions[:place] + portions[place + 1 :])
    return with_stages(recipe, stages)


def without_source(recipe: Recipe, source: str) -> Recipe | None:
    """The recipe without all appearances of a source."""
    return with_portions(recipe, lambda each: None if each.source == source else each)


def without_language(
    recipe: Recipe, language: str, available: Mapping[str, Collection[str]]
) -> Recipe | None:
    """The recipe without a language, whatever the source.

    Args:
        recipe: The recipe.
        language: The language.
        available: Languages of each source.
    """
    return with_portions(
        recipe,
        lambda each: in_languages(each, spoken(each, available) - {language}, available),
    )


def with_language(
    recipe: Recipe, language: str, available: Mapping[str, Collection[str]]
) -> Recipe | None:
    """The recipe with a language of every source that has it; arguments as above."""
    return with_portions(
        recipe,
        lambda each: in_languages(
            each, spoken(each, available) | ({language} & {*available[each.source]}), available
        ),
    )


def without_augmentation(recipe: Recipe, type_: str) -> Recipe:
    """The recipe without an augmentation, in whichever stages it is used."""
    return replace(
        recipe,
        stages=tuple(
            replace(
                stage,
                augmentations=tuple(use for use in stage.augmentations if use.type != type_),
            )
            for stage in recipe.stages
        ),
    )


def with_augmentation(recipe: Recipe, use: AugmentationUse, order: Sequence[str]) -> Recipe:
    """The recipe with an augmentation in every stage.

    Args:
        recipe: The recipe.
        use: What is added.
        order: Types in the study file's order, in which a stage applies them.
    """
    places = {type_: place for place, type_ in reversed(list(enumerate(order)))}

    def place(each: AugmentationUse) -> int:
        return places.get(each.type, len(order))

    return replace(
        recipe,
        stages=tuple(
            replace(stage, augmentations=tuple(sorted((*stage.augmentations, use), key=place)))
            for stage in recipe.stages
        ),
    )


def with_portion(recipe: Recipe, portion: Portion, position: float) -> Recipe:
    """The recipe with one more portion.

    Args:
        recipe: The recipe.
        portion: What is added.
        position: Where in the recipe, from 0 first to 1 last.
    """
    number = min(int(position * len(recipe.stages)), len(recipe.stages) - 1)
    stages = list(recipe.stages)
    together = canonical((*stages[number].portions, portion))
    stages[number] = replace(stages[number], portions=together)
    return replace(recipe, stages=tuple(stages))


def spoken(portion: Portion, available: Mapping[str, Collection[str]]) -> set[str]:
    """Languages that a portion draws from.

    Args:
        portion: The portion.
        available: Languages of each source.
    """
    return set(available[portion.source] if portion.languages is None else portion.languages)


def in_languages(
    portion: Portion, languages: Collection[str], available: Mapping[str, Collection[str]]
) -> Portion | None:
    """A portion in other languages; ``None`` in none."""
    everything = set(languages) == set(available[portion.source])
    chosen = None if everything else tuple(sorted(languages))
    return replace(portion, languages=chosen) if languages else None


def shuffled(recipe: Recipe) -> Recipe:
    """All portions in one stage, with the windows of the last one and all stages' augmentations."""
    last = recipe.stages[-1]
    uses = dict.fromkeys(chain.from_iterable(stage.augmentations for stage in recipe.stages))
    portions = tuple(chain.from_iterable(stage.portions for stage in recipe.stages))
    one = replace(last, portions=canonical(portions), augmentations=tuple(uses))
    return Recipe((one,), replace(recipe.method, restart=False))


def backwards(recipe: Recipe) -> Recipe:
    """The last stage's portions and augmentations first; windows grow as they did."""
    stages = (
        replace(stage, portions=other.portions, augmentations=other.augmentations)
        for stage, other in zip(recipe.stages, reversed(recipe.stages), strict=True)
    )
    return replace(recipe, stages=tuple(stages))


def with_method(recipe: Recipe, key: str, value: Any) -> Recipe:
    """The recipe trained otherwise; what means nothing without the key goes with it."""
    plain = Method()
    changes = {key: value}
    if value == getattr(plain, key):
        changes |= {name: getattr(plain, name) for name, by in GOVERNED.items() if by == key}
    return replace(recipe, method=replace(recipe.method, **changes))


def means_something(method: Method, key: str) -> bool:
    """Whether a key of a method has something to act on."""
    governor = GOVERNED.get(key)
    return governor is None or getattr(method, governor) != getattr(Method(), governor)


METHOD_KEYS = tuple(each.name for each in fields(Method))
