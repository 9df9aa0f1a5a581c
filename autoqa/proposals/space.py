"""The space of recipes of one backbone: names and ranges of its parameters, and back to a recipe.

Every parameter carries the backbone's name, so that each backbone has a space of its own inside
one Optuna study. There is no categorical over names of plugins, languages or slots: each is a
switch of its searched, so that one more of them is one more parameter and not another distribution.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autoqa.api import BackboneKind, TrainingProtocol
from autoqa.config.study import AugmentationTable, PortionTable, Range, RecipeTable
from autoqa.planning.share_scale import ShareScale, canonical
from autoqa.proposals.method_space import (
    Draw,
    build_method,
    first_value,
    method_problems,
    searched_methods,
)
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage

_SWITCH = CategoricalDistribution((False, True))


@dataclass(frozen=True)
class Space:
    """What the search may vary for one backbone.

    Attributes:
        backbone: Name in the study file; prefix of every parameter.
        protocol: The centre of the space.
        recipe: The study file's ``[recipe]``.
        languages: Languages of each source that is trained on, sorted.
        scale: Makes all recipes smaller than their parameters say.
        kind: Whether the backbone scores tokens or generates texts.
    """

    backbone: str
    protocol: TrainingProtocol
    recipe: RecipeTable
    languages: Mapping[str, tuple[str, ...]]
    scale: ShareScale = field(default_factory=ShareScale)
    kind: BackboneKind = "span"

    def check(self) -> list[str]:
        """Problems that only data and backbone show: languages or methods that there cannot be."""
        problems = method_problems(self.backbone, self.protocol, self.recipe.method, self.kind)
        for index, portion in enumerate(self.recipe.portions):
            if portion.include is not False and isinstance(portion.languages, tuple):
                languages = self.languages[portion.source]
                problems += [
                    f"recipe.portions[{index}].languages: source {portion.source!r} has no "
                    f"{language!r}; it has {', '.join(languages)}"
                    for language in portion.languages
                    if language not in languages
                ]
        return problems

    def distributions(self, *, slower: bool = False) -> dict[str, BaseDistribution]:
        """Every parameter that any trial of this backbone may have, with the backbone's prefix.

        Args:
            slower: The trial repeats one that diverged, at half its learning rate, which may lie
                below the range of the others.
        """
        return {self.name(key): value for key, value in self._searched(slower).items()}

    def name(self, key: str) -> str:
        """Full name of a parameter; a key that carries the backbone's name already is one."""
        return f"{self.backbone}.{self.key(key)}"

    def key(self, name: str) -> str:
        """A parameter's name without the backbone's."""
        return name.removeprefix(f"{self.backbone}.")

    def owns(self, parameters: Iterable[str]) -> bool:
        """Whether any of the full names is of this backbone."""
        return any(name.startswith(f"{self.backbone}.") for name in parameters)

    def slower(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The same point at half the learning rate, for a trial that repeats one that diverged."""
        name = self.name("learning_rate")
        rate = parameters.get(name, self.protocol.learning_rate)
        return {**parameters, name: rate / 2}

    def _searched(self, slower: bool = False) -> dict[str, BaseDistribution]:
        searched: dict[str, BaseDistribution] = {}
        low, high = self._rates[0] / (2 if slower else 1), self._rates[-1]
        if low < high:
            searched["learning_rate"] = FloatDistribution(low, high, log=True)
        stages = self.recipe.stages
        if stages.low < stages.high:
            searched["stages"] = _whole(stages)
        if self.recipe.length is not None and self.recipe.length.low < self.recipe.length.high:
            for stage in range(1, stages.high + 1):
                searched[f"length_{stage}"] = _whole(self.recipe.length)
        for portion in self.recipe.portions:
            searched.update(self._of_slot(portion))
        for name, table in self._augmentations():
            if table.include == "search":
                searched[name] = _SWITCH
        return searched | searched_methods(self.recipe.method)

    @property
    def _rates(self) -> tuple[float, ...]:
        """Bounds of the learning rate, or the only rates there are, ascending."""
        factor = self.recipe.learning_rate_factor
        factors = sorted(factor) if isinstance(factor, tuple) else [1 / factor, factor]
        return tuple(self.protocol.learning_rate * factor for factor in factors)

    def _of_slot(self, portion: PortionTable) -> dict[str, BaseDistribution]:
        searched: dict[str, BaseDistribution] = {}
        if portion.include is False:
            return searched
        if portion.include == "search":
            searched[f"{portion.slot}.include"] = _SWITCH
        # Where there is one stage, all portions are shuffled together and order means nothing.
        ordered = self.recipe.stages.high > 1
        if portion.position == "search" and ordered:
            searched[f"{portion.slot}.position"] = FloatDistribution(0.0, 1.0)
        for key in ("position", "share", "negatives", "similar", "unanswerable"):
            value = getattr(portion, key)
            if isinstance(value, tuple) and len(value) > 1 and (ordered or key != "position"):
                searched[f"{portion.slot}.{key}"] = CategoricalDistribution(value)
        if portion.languages == "search" and len(self.languages[portion.source]) > 1:
            for language in self.languages[portion.source]:
                searched[f"{portion.slot}.lang_{language}"] = _SWITCH
        return searched

    def _augmentations(self) -> list[tuple[str, AugmentationTable]]:
        """Each table with the name of its parameter; a second one of a type is numbered."""
        tables: list[tuple[str, AugmentationTable]] = []
        counts: dict[str, int] = {}
        for table in self.recipe.augmentations:
            count = counts[table.type] = counts.get(table.type, 0) + 1
            tables.append((table.type if count == 1 else f"{table.type}_{count}", table))
        return tables

    def suggest(
        self, trial: optuna.trial.BaseTrial, *, slower: bool = False
    ) -> tuple[Recipe, float]:
        """Draws a recipe and a learning rate.

        Args:
            trial: Optuna's trial; only parameters that matter for its recipe are suggested.
            slower: The trial was queued with parameters from :meth:`slower`.

        Returns:
            The canonical recipe (without stages if nothing was selected) and the rate.
        """
        searched = self._searched(slower)
        recipe, rate = self.build(
            lambda key: _suggest(trial, self.name(key), searched[key]), searched
        )
        return recipe, rate if slower else self._on_grid(rate)

    def decode(self, parameters: Mapping[str, Any]) -> tuple[Recipe, float]:
        """The recipe and rate that full parameter names and values stand for."""
        recipe, rate = self.build(lambda key: parameters[self.name(key)], self._searched())
        return recipe, self._on_grid(rate)

    def _on_grid(self, rate: float) -> float:
        """The nearest listed rate, by ratio: a grid lets trials share their first stages.

        The parameter itself stays a range, because the sampler knows that rates have an order.
        """
        if not isinstance(self.recipe.learning_rate_factor, tuple):
            return rate
        return min(map(tidy_rate, self._rates), key=lambda listed: abs(math.log(listed / rate)))

    def build(self, draw: Draw, searched: Mapping[str, BaseDistribution]) -> tuple[Recipe, float]:
        """Asks for the parameters that matter, one after another, and builds the recipe.

        Args:
            draw: Gives the value of a parameter.
            searched: The parameters that exist; every other value is fixed by the study file.
        """
        rate = draw("learning_rate") if "learning_rate" in searched else self._rates[-1]
        count = draw("stages") if "stages" in searched else self.recipe.stages.low
        lengths = sorted(self._length(draw, searched, stage) for stage in range(1, count + 1))
        portions: list[list[Portion]] = [[] for _ in range(count)]
        for table in self.recipe.portions:
            portion = self._portion(table, draw, searched)
            if portion is not None:
                key = f"{table.slot}.position"
                position = draw(key) if key in searched else first_value(table.position)
                share = 0.0 if position == "search" else float(position)
                portions[min(int(share * count), count - 1)].append(portion)
        uses = tuple(
            AugmentationUse(table.type, tuple(sorted(table.options.items())))
            for name, table in self._augmentations()
            if (draw(name) if name in searched else table.include)
        )
        stages = tuple(
            Stage(canonical(together), length, self._stride(length), uses)
            for together, length in zip(portions, lengths, strict=True)
            if together
        )
        method = build_method(self.recipe.method, draw, searched, len(stages))
        method = replace(method, answers=self.recipe.answers)
        return self.scale.applied(Recipe(stages, method)), tidy_rate(rate)

    def _length(self, draw: Draw, searched: Mapping[str, BaseDistribution], stage: int) -> int:
        if self.recipe.length is None:
            return self.protocol.length
        key = f"length_{stage}"
        return int(draw(key)) if key in searched else self.recipe.length.low

    def _stride(self, length: int) -> int:
        if self.recipe.stride is not None:
            stride = round(self.recipe.stride * length)
        else:
            stride = round(self.protocol.stride * length / self.protocol.length)
        return min(stride, length - 1)

    def _portion(
        self, portion: PortionTable, draw: Draw, searched: Mapping[str, BaseDistribution]
    ) -> Portion | None:
        slot = portion.slot
        key = f"{slot}.include"
        if not (draw(key) if key in searched else portion.include):
            return None
        available = self.languages[portion.source]
        if portion.languages == "search":
            keys = {language: f"{slot}.lang_{language}" for language in available}
            chosen = [name for name, key in keys.items() if key not in searched or draw(key)]
        else:
            chosen = [
                language
                for language in available
                if portion.languages is None or language in portion.languages
            ]
        if not chosen:
            return None
        values = {}
        for name in ("share", "negatives", "similar"):
            key = f"{slot}.{name}"
            values[name] = float(
                draw(key) if key in searched else first_value(getattr(portion, name))
            )
        if portion.unanswerable is not None:
            key = f"{slot}.unanswerable"
            drawn = draw(key) if key in searched else first_value(portion.unanswerable)
            values["unanswerable"] = float(drawn)
        # All languages are always written as None: one recipe, one hash.
        languages = None if len(chosen) == len(available) else tuple(sorted(chosen))
        return Portion(portion.source, languages, **values)


def tidy_rate(rate: float) -> float:
    """Two significant digits for a sampled rate; what a person wrote stays as it is.

    Rates that differ by less train the same model to within noise, and as the same number two
    trials can be recognised as the same run.
    """
    written = float(f"{rate:.4g}") == rate
    return rate if written else float(f"{rate:.2g}")


def _whole(range_: Range) -> IntDistribution:
    return IntDistribution(range_.low, range_.high, step=range_.step)


def _suggest(trial: optuna.trial.BaseTrial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, step=distribution.step)
    assert isinstance(distribution, CategoricalDistribution)
    return trial.suggest_categorical(name, distribution.choices)
