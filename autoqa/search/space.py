"""The space of recipes of one backbone: names and ranges of its parameters, and back to a recipe.

Every parameter carries the backbone's name, so that each backbone has a space of its own inside
one Optuna study. There is no categorical over names of plugins, languages or slots: each is a
switch of its own, so that one more of them is one more parameter and not another distribution.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autoqa.api import TrainingProtocol
from autoqa.config.study import AugmentationTable, PortionTable, Range, RecipeTable
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage

Draw = Callable[[str], Any]
"""Parameter name (without the backbone) to its value."""

_SWITCH = CategoricalDistribution((False, True))


@dataclass(frozen=True)
class Space:
    """What the search may vary for one backbone.

    Attributes:
        backbone: Name in the study file; prefix of every parameter.
        protocol: The centre of the space.
        recipe: The study file's ``[recipe]``.
        languages: Languages of each source that is trained on, sorted.
    """

    backbone: str
    protocol: TrainingProtocol
    recipe: RecipeTable
    languages: Mapping[str, tuple[str, ...]]

    def check(self) -> list[str]:
        """Problems that only the data show: fixed languages that a source does not have."""
        problems = []
        for index, portion in enumerate(self.recipe.portions):
            if portion.include is not False and isinstance(portion.languages, tuple):
                held = self.languages[portion.source]
                problems += [
                    f"recipe.portions[{index}].languages: source {portion.source!r} has no "
                    f"{language!r}; it has {', '.join(held)}"
                    for language in portion.languages
                    if language not in held
                ]
        return problems

    def distributions(self, *, slower: bool = False) -> dict[str, BaseDistribution]:
        """Every parameter that any trial of this backbone may have, with the backbone's prefix.

        Args:
            slower: The trial repeats one that diverged, at half its learning rate, which may lie
                below the range of the others.
        """
        return {f"{self.backbone}.{key}": value for key, value in self._own(slower).items()}

    def _own(self, slower: bool = False) -> dict[str, BaseDistribution]:
        own: dict[str, BaseDistribution] = {}
        low, high = self._rates[0] / (2 if slower else 1), self._rates[-1]
        if low < high:
            own["learning_rate"] = FloatDistribution(low, high, log=True)
        stages = self.recipe.stages
        if stages.low < stages.high:
            own["stages"] = _whole(stages)
        if self.recipe.length is not None and self.recipe.length.low < self.recipe.length.high:
            for stage in range(1, stages.high + 1):
                own[f"length_{stage}"] = _whole(self.recipe.length)
        for portion in self.recipe.portions:
            own.update(self._of_slot(portion))
        for name, table in self._augmentations():
            if table.include == "search":
                own[name] = _SWITCH
        for key, value in self.recipe.method:
            if value == "search":
                own[f"method.{key}"] = _SWITCH
            elif isinstance(value, tuple) and len(value) > 1:
                own[f"method.{key}"] = CategoricalDistribution(value)
        return own

    @property
    def _rates(self) -> tuple[float, ...]:
        """Bounds of the learning rate, or the only rates there are, ascending."""
        factor, rate = self.recipe.learning_rate, self.protocol.learning_rate
        factors = sorted(factor) if isinstance(factor, tuple) else [1 / factor, factor]
        return tuple(rate * each for each in factors)

    def _of_slot(self, portion: PortionTable) -> dict[str, BaseDistribution]:
        own: dict[str, BaseDistribution] = {}
        if portion.include is False:
            return own
        if portion.include == "search":
            own[f"{portion.slot}.include"] = _SWITCH
        # Where there is one stage, all portions are shuffled together and order means nothing.
        ordered = self.recipe.stages.high > 1
        if portion.position == "search" and ordered:
            own[f"{portion.slot}.position"] = FloatDistribution(0.0, 1.0)
        for key in ("position", "share", "negatives", "similar"):
            value = getattr(portion, key)
            if isinstance(value, tuple) and len(value) > 1 and (ordered or key != "position"):
                own[f"{portion.slot}.{key}"] = CategoricalDistribution(value)
        if portion.languages == "search" and len(self.languages[portion.source]) > 1:
            for language in self.languages[portion.source]:
                own[f"{portion.slot}.lang_{language}"] = _SWITCH
        return own

    def _augmentations(self) -> list[tuple[str, AugmentationTable]]:
        """Each table with the name of its parameter; a second one of a type is numbered."""
        named: list[tuple[str, AugmentationTable]] = []
        seen: dict[str, int] = {}
        for table in self.recipe.augmentations:
            seen[table.type] = seen.get(table.type, 0) + 1
            count = seen[table.type]
            named.append((table.type if count == 1 else f"{table.type}_{count}", table))
        return named

    def suggest(self, trial: optuna.trial.BaseTrial) -> tuple[Recipe, float]:
        """Draws a recipe and a learning rate.

        Args:
            trial: Optuna's trial; only parameters that matter for its recipe are suggested.

        Returns:
            The canonical recipe (without stages if nothing was selected) and the rate.
        """
        own = self._own(slower="slower" in trial.user_attrs)
        recipe, rate = self.build(
            lambda key: _suggest(trial, f"{self.backbone}.{key}", own[key]), own
        )
        return recipe, rate if "slower" in trial.user_attrs else self._on_grid(rate)

    def decode(self, parameters: Mapping[str, Any]) -> tuple[Recipe, float]:
        """The recipe and rate that full parameter names and values stand for."""
        recipe, rate = self.build(lambda key: parameters[f"{self.backbone}.{key}"], self._own())
        return recipe, self._on_grid(rate)

    def _on_grid(self, rate: float) -> float:
        """The nearest listed rate, by ratio: a grid lets trials share their first stages.

        The parameter itself stays a range, because the sampler knows that rates have an order.
        """
        if not isinstance(self.recipe.learning_rate, tuple):
            return rate
        return min(map(tidy_rate, self._rates), key=lambda each: abs(math.log(each / rate)))

    def build(self, draw: Draw, own: Mapping[str, BaseDistribution]) -> tuple[Recipe, float]:
        """Asks for the parameters that matter, one after another, and builds the recipe.

        Args:
            draw: Gives the value of a parameter.
            own: The parameters that exist; every other value is fixed by the study file.
        """
        rate = draw("learning_rate") if "learning_rate" in own else self._rates[-1]
        count = draw("stages") if "stages" in own else self.recipe.stages.low
        lengths = sorted(self._length(draw, own, stage) for stage in range(1, count + 1))
        held: list[list[Portion]] = [[] for _ in range(count)]
        for portion in self.recipe.portions:
            drawn = self._portion(portion, draw, own)
            if drawn is not None:
                key = f"{portion.slot}.position"
                position = draw(key) if key in own else _first(portion.position)
                place = 0.0 if position == "search" else float(position)
                held[min(int(place * count), count - 1)].append(drawn)
        uses = tuple(
            AugmentationUse(table.type, tuple(sorted(table.options.items())))
            for name, table in self._augmentations()
            if (draw(name) if name in own else table.include)
        )
        stages = tuple(
            Stage(_ordered(portions), length, self._stride(length), uses)
            for portions, length in zip(held, lengths, strict=True)
            if portions
        )
        return Recipe(stages, self._method(draw, own, len(stages))), tidy_rate(rate)

    def _method(self, draw: Draw, own: Mapping[str, BaseDistribution], stages: int) -> Method:
        values: dict[str, Any] = {}
        for key, value in self.recipe.method:
            name = f"method.{key}"
            values[key] = draw(name) if name in own else _first(value)
        # One stage has nothing before it to restart from: one recipe, one hash.
        values["restart"] = values["restart"] and stages > 1
        return Method(**values)

    def _length(self, draw: Draw, own: Mapping[str, BaseDistribution], stage: int) -> int:
        if self.recipe.length is None:
            return self.protocol.length
        key = f"length_{stage}"
        return int(draw(key)) if key in own else self.recipe.length.low

    def _stride(self, length: int) -> int:
        if self.recipe.stride is not None:
            stride = round(self.recipe.stride * length)
        else:
            stride = round(self.protocol.stride * length / self.protocol.length)
        return min(stride, length - 1)

    def _portion(
        self, portion: PortionTable, draw: Draw, own: Mapping[str, BaseDistribution]
    ) -> Portion | None:
        slot = portion.slot
        key = f"{slot}.include"
        if not (draw(key) if key in own else portion.include):
            return None
        held = self.languages[portion.source]
        if portion.languages == "search":
            keys = {language: f"{slot}.lang_{language}" for language in held}
            taken = [each for each in held if keys[each] not in own or draw(keys[each])]
        else:
            taken = [
                each for each in held if portion.languages is None or each in portion.languages
            ]
        if not taken:
            return None
        values = {}
        for name in ("share", "negatives", "similar"):
            key = f"{slot}.{name}"
            values[name] = float(draw(key) if key in own else _first(getattr(portion, name)))
        # All languages are always written as None: one recipe, one hash.
        languages = None if len(taken) == len(held) else tuple(sorted(taken))
        return Portion(portion.source, languages, **values)


def tidy_rate(rate: float) -> float:
    """Two significant digits for a sampled rate; what a person wrote stays as it is.

    Rates that differ by less train the same model to within noise, and as the same number two
    trials can be recognised as the same run.
    """
    written = float(f"{rate:.4g}") == rate
    return rate if written else float(f"{rate:.2g}")


def _first(value: Any) -> Any:
    """What a list of choices means where nothing is searched."""
    return value[0] if isinstance(value, tuple) else value


def _whole(range_: Range) -> IntDistribution:
    return IntDistribution(range_.low, range_.high, step=range_.step)


def _ordered(portions: list[Portion]) -> tuple[Portion, ...]:
    def order(portion: Portion) -> tuple[str, tuple[str, ...], float, float, float]:
        sizes = portion.share, portion.negatives, portion.similar
        return portion.source, portion.languages or (), *sizes

    return tuple(sorted(portions, key=order))


def _suggest(trial: optuna.trial.BaseTrial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, step=distribution.step)
    assert isinstance(distribution, CategoricalDistribution)
    return trial.suggest_categorical(name, distribution.choices)
