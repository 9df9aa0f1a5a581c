"""The experiments: what is left out of a recipe, added to it, or done otherwise."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from autoqa.ablation import recipe_changes as changes
from autoqa.config.study import PortionTable, Range
from autoqa.errors import ConfigError, did_you_mean
from autoqa.proposals.first_points import protocol_parameters
from autoqa.proposals.space import Space
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, TrainingRun

ArmChange = Literal["left out", "added", "instead"]
"""What an arm does to the base: the effect of what is left out is the base's gain on the arm, any
other effect is the arm's gain on the base."""


@dataclass(frozen=True, slots=True)
class Base:
    """What all arms are compared with.

    Attributes:
        label: ``t0003-100``, or ``protocol e5``.
        backbone: Name in the study file.
        run: What is trained; each experiment takes other seeds.
        fraction: Point of the run that is scored, 0 < fraction <= 1.
        slots: Slots of the study file's portions that the recipe has.
        micro_scale: Factor on the tokens of a forward pass.
    """

    label: str
    backbone: str
    run: TrainingRun
    fraction: float
    slots: frozenset[str]
    micro_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Arm:
    """A recipe that differs from the base in one thing.

    Attributes:
        name: ``without cutout``; unique among the arms of a base.
        factor: A key of :data:`FACTORS`.
        subject: The thing, as study file or recipe card name it.
        change: What is done to it.
        recipe: The base's, changed.
    """

    name: str
    factor: str
    subject: str
    change: ArmChange
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class _Study:
    base: Base
    space: Space

    @property
    def recipe(self) -> Recipe:
        return self.base.run.recipe

    @property
    def available(self) -> Mapping[str, Collection[str]]:
        return self.space.languages

    @property
    def portions(self) -> list[tuple[int, int, Portion]]:
        """Numbers of stage and portion, and the portion."""
        return [
            (number, place, portion)
            for number, stage in enumerate(self.recipe.stages)
            for place, portion in enumerate(stage.portions)
        ]

    @property
    def unused(self) -> list[tuple[float, PortionTable]]:
        """Slots that the base does without, each with where in a recipe it belongs."""
        tables = self.space.recipe.portions
        sources = {portion.source for _, _, portion in self.portions}
        found = []
        for number, table in enumerate(tables):
            if table.include is not False and (
                table.slot not in self.base.slots or table.source not in sources
            ):
                found.append((_position(table, (number + 0.5) / len(tables)), table))
        return found

    def portion(self, table: PortionTable) -> Portion:
        """A slot's portion as the backbone's protocol has it."""
        recipe = self.space.recipe.model_copy(
            update={"portions": (table,), "stages": Range(low=1, high=1)}
        )
        alone = replace(self.space, recipe=recipe)
        return alone.decode(protocol_parameters(alone))[0].stages[0].portions[0]


def _position(table: PortionTable, middle: float) -> float:
    """Where a slot stands; where that is searched, near to its place in the study file."""
    position = table.position
    if isinstance(position, tuple):
        return min(position, key=lambda each: abs(each - middle))
    return middle if position == "search" else float(position)


ArmsFound = Iterator[tuple[str, str, ArmChange, Recipe | None]]
"""Name, subject, change, and the recipe; ``None`` where nothing would be left to train on."""


def _augmentations(study: _Study) -> ArmsFound:
    recipe, tables = study.recipe, study.space.recipe.augmentations
    used = dict.fromkeys(use.type for stage in recipe.stages for use in stage.augmentations)
    for kind in used:
        yield f"without {kind}", kind, "left out", changes.without_augmentation(recipe, kind)
    order = [table.type for table in tables]
    seen = set(used)
    for table in tables:
        if table.type not in seen:
            seen.add(table.type)
            use = AugmentationUse(table.type, tuple(sorted(table.options.items())))
            added = changes.with_augmentation(recipe, use, order)
            yield f"with {table.type}", table.type, "added", added


def _stages(study: _Study) -> ArmsFound:
    recipe = study.recipe
    if len(recipe.stages) > 1:
        for number in range(len(recipe.stages)):
            others = recipe.stages[:number] + recipe.stages[number + 1 :]
            subject = f"stage {number + 1}"
            yield f"without {subject}", subject, "left out", changes.with_stages(recipe, others)
    sources = [portion.source for _, _, portion in study.portions]
    for count, (stage, place, portion) in enumerate(study.portions, 1):
        if sources.count(portion.source) > 1:
            subject = f"portion {count} ({portion.source} in stage {stage + 1})"
            rest = changes.without_portion(recipe, stage, place)
            yield f"without {subject}", subject, "left out", rest
    for position, table in study.unused:
        if table.source in sources:
            added = changes.with_portion(recipe, study.portion(table), position)
            subject = f"portion {table.slot}"
            yield f"with {subject}", subject, "added", added


def _sources(study: _Study) -> ArmsFound:
    recipe, used = study.recipe, dict.fromkeys(each.source for _, _, each in study.portions)
    for source in used:
        rest = changes.without_source(recipe, source)
        yield f"without source {source}", f"source {source}", "left out", rest
    seen: set[str] = set()
    for position, table in study.unused:
        if table.source not in used and table.source not in seen:
            seen.add(table.source)
            added = changes.with_portion(recipe, study.portion(table), position)
            yield f"with source {table.source}", f"source {table.source}", "added", added


def _languages(study: _Study) -> ArmsFound:
    recipe, available = study.recipe, study.available
    drawn = [(each, changes.spoken(each, available)) for _, _, each in study.portions]
    used = sorted(set().union(*(languages for _, languages in drawn)))
    if len(used) < 2 and all(languages == set(available[each.source]) for each, languages in drawn):
        return
    for language in used:
        rest = changes.without_language(recipe, language, available)
        yield f"without language {language}", f"language {language}", "left out", rest
    missing = {name for each, languages in drawn for name in {*available[each.source]} - languages}
    for language in sorted(missing):
        more = changes.with_language(recipe, language, available)
        yield f"with language {language}", f"language {language}", "added", more


def _order(study: _Study) -> ArmsFound:
    recipe = study.recipe
    if len(recipe.stages) < 2:
        return
    restart = recipe.method.restart
    change: ArmChange = "left out" if restart else "added"
    name = "one schedule" if restart else "two-stage"
    yield name, "restart", change, changes.with_method(recipe, "restart", not restart)
    yield "shuffled", "all in one stage", "instead", changes.shuffled(recipe)
    yield "reversed", "last stage first", "instead", changes.backwards(recipe)


def _methods(study: _Study) -> ArmsFound:
    recipe, plain = study.recipe, Method()
    searched = dict(study.space.recipe.method)
    for key in changes.METHOD_KEYS:
        now, usual = getattr(recipe.method, key), getattr(plain, key)
        if key == "restart" or not changes.means_something(recipe.method, key):
            continue
        if now != usual:
            subject = f"{key} = {_shown(now)}"
            yield f"without {subject}", subject, "left out", changes.with_method(recipe, key, usual)
        for value in _choices(searched.get(key, usual)):
            if value not in (now, usual):
                subject = f"{key} = {_shown(value)}"
                change: ArmChange = "added" if now == usual else "instead"
                yield f"with {subject}", subject, change, changes.with_method(recipe, key, value)


def _choices(value: Any) -> Sequence[Any]:
    if value == "search":
        return (True,)
    return value if isinstance(value, tuple) else (value,)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


FACTORS: Mapping[str, tuple[Callable[[_Study], ArmsFound], str]] = {
    "augmentations": (
        _augmentations,
        "the base uses no augmentation, and [[recipe.augmentations]] names none",
    ),
    "stages": (
        _stages,
        "the base has one stage with each source once, and no portion of theirs is left to add",
    ),
    "sources": (_sources, "the base has no source"),
    "languages": (_languages, "the base trains on one language, and its sources have no other"),
    "order": (_order, "the base has one stage, which has no order"),
    "methods": (
        _methods,
        "the base is trained in the plain way, and [recipe.method] offers no other",
    ),
}
"""Kinds of arms by name: what finds them, and the sentence where there are none."""


def find_arms(
    base: Base, space: Space, over: Sequence[str] = (), only: str | None = None
) -> tuple[list[Arm], list[str]]:
    """All arms of some factors.

    Args:
        base: What they are compared with.
        space: Of its backbone.
        over: Names of factors; none is all.
        only: Name or subject of the arms that are wanted.

    Returns:
        The arms, and a sentence for each thing that cannot be ablated: of factors that were not
        asked for by name only what would leave nothing to train on.

    Raises:
        ConfigError: There is no such factor or arm, or there are no arms at all.
    """
    for name in over:
        if name not in FACTORS:
            hint = did_you_mean(name, FACTORS) or f"; there are: {', '.join(FACTORS)}"
            raise ConfigError(f"over {name!r}: no such factor{hint}")
    arms: list[Arm] = []
    notes: list[str] = []
    unused: list[str] = []
    for factor in over or FACTORS:
        find, nothing = FACTORS[factor]
        found = list(find(_Study(base, space)))
        if not found:
            unused.append(f"{factor}: {nothing}")
        known = {base.run.recipe}  # a stage of one portion is left out once, as a stage
        for name, subject, change, recipe in found:
            if recipe is None:
                notes.append(f"{name}: nothing would be left to train on")
            elif recipe not in known:
                known.add(recipe)
                arms.append(Arm(name, factor, subject, change, recipe))
    if only is not None:
        arms = _only(arms, only)
    elif over or not arms:
        notes += unused
    if not arms:
        raise ConfigError(f"{base.label}: there is nothing to ablate", *notes)
    return arms, notes


def _only(arms: Sequence[Arm], only: str) -> list[Arm]:
    kept = [arm for arm in arms if only in _names(arm)]
    if not kept:
        known = [arm.name for arm in arms]
        names = [*known, *(arm.subject for arm in arms)]
        hint = did_you_mean(only, names) or f"; there are: {', '.join(known) or 'none'}"
        raise ConfigError(f"only {only!r}: neither base nor study file has it{hint}")
    return kept


def _names(arm: Arm) -> set[str]:
    """What an arm can be asked for by: ``with source squad``, ``source squad``, ``squad``."""
    last, key = arm.subject.partition(" ")[2], arm.subject.partition(" = ")[0]
    return {arm.name, arm.subject, last, key}
