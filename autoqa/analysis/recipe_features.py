"""Finished runs as conditions that a person can read: what was in, where it stood, how much of it.

A condition that exists only where another one holds, such as the share of a source that may be left
out, says nothing of the other runs: it is centred among the runs that have it, and zero in the
rest.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from autoqa.arrays import Doubles
from autoqa.recipes import AugmentationUse, Portion, Recipe, TrainingRun
from autoqa.recipes.method import Method
from autoqa.store.candidate_record import CandidateRecord

ConditionKind = Literal[
    "backbone",
    "learning rate",
    "source",
    "language",
    "position",
    "amount",
    "stages",
    "augmentation",
    "method",
]

FEWEST_EACH = 2
"""Runs that must have a condition, and that must not, for anything to be said of it."""

_GOVERNED = {"adversary_size": "adversary", "mlm_whole_words": "mlm_epochs"}
"""Fields of a method that mean nothing where another one is off."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that differed between runs.

    Attributes:
        name: What its effect is of, such as ``squad: twice as much``.
        kind: What sort of thing it is.
        values: Of each run, in steps of one; ``None`` where it does not exist.
        switch: Whether it is there or not, and no number.
    """

    name: str
    kind: ConditionKind
    values: tuple[float | None, ...]
    switch: bool = False

    @property
    def known(self) -> list[float]:
        """The values of the runs that have it."""
        return [value for value in self.values if value is not None]

    @property
    def varied(self) -> bool:
        """Whether the runs that have it differ in it at all."""
        return len(set(self.known)) > 1

    @property
    def tried(self) -> bool:
        """Whether enough runs differ in it to say anything."""
        (_, usual), *_ = Counter(self.known).most_common(1) or [(0.0, 0)]
        return self.varied and len(self.known) - usual >= FEWEST_EACH and usual >= 1

    @property
    def step(self) -> float:
        """Steps in a usual difference: 1 for a switch, two standard deviations of a number."""
        return 1.0 if self.switch else 2 * float(np.std(self.known))

    def column(self) -> Doubles:
        """Centred where it exists, 0 elsewhere, in usual differences; ``[T]``."""
        centre = float(np.mean(self.known))
        filled = [0.0 if value is None else value - centre for value in self.values]
        return np.array(filled) / self.step


def conditions(records: Sequence[CandidateRecord]) -> list[Condition]:
    """All that may have differed between runs, also what did not.

    Args:
        records: One candidate of each run.

    Raises:
        DataError: A recipe is of another version.
    """
    runs = [record.training_run for record in records]
    recipes = [run.recipe for run in runs]
    return [
        *_backbones(records),
        *_rates(records, runs),
        *_stages(recipes),
        *(each for source in _sources(recipes) for each in _of_source(source, recipes)),
        *_augmentations(recipes),
        *_methods([recipe.method for recipe in recipes]),
        _later_round(runs),
    ]


def _later_round(runs: Sequence[TrainingRun]) -> Condition:
    values = tuple(float(bool(run.begins_with)) for run in runs)
    return Condition("begins with a mean of earlier runs", "method", values, switch=True)


def _backbones(records: Sequence[CandidateRecord]) -> Iterator[Condition]:
    names = [record.backbone for record in records]
    (usual, _), *others = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    for other, _ in others:
        values = tuple(float(name == other) for name in names)
        yield Condition(f"{other} instead of {usual}", "backbone", values, switch=True)


def _rates(records: Sequence[CandidateRecord], runs: Sequence[TrainingRun]) -> Iterator[Condition]:
    """Against the rate of each backbone's first run, which a search takes from its protocol."""
    rates = [math.log2(run.rate_from_pretrained) for run in runs]
    first: dict[str, float] = {}
    for rate, record in sorted(zip(rates, records, strict=True), key=lambda pair: pair[1].trial):
        first.setdefault(record.backbone, rate)
    off = [rate - first[record.backbone] for rate, record in zip(rates, records, strict=True)]
    yield Condition("learning rate twice the first run's", "learning rate", tuple(off))
    squares = tuple(each**2 for each in off)
    yield Condition("learning rate off the first run's by a factor of 2", "learning rate", squares)


def _stages(recipes: Sequence[Recipe]) -> Iterator[Condition]:
    counts = tuple(float(len(recipe.stages)) for recipe in recipes)
    yield Condition("one stage more", "stages", counts)
    longest = [max((stage.length for stage in recipe.stages), default=1) for recipe in recipes]
    yield Condition("windows twice as long", "stages", tuple(map(math.log2, longest)))


def _sources(recipes: Sequence[Recipe]) -> list[str]:
    named = (
        part.source for recipe in recipes for stage in recipe.stages for part in stage.portions
    )
    return list(dict.fromkeys(named))


def _appearances(recipe: Recipe, source: str) -> list[tuple[int, Portion]]:
    return [
        (number, portion)
        for number, stage in enumerate(recipe.stages)
        for portion in stage.portions
        if portion.source == source
    ]


def _of_source(source: str, recipes: Sequence[Recipe]) -> Iterator[Condition]:
    seen = [_appearances(recipe, source) for recipe in recipes]

    def where_in(value: Callable[[list[Portion]], float | None]) -> tuple[float | None, ...]:
        return tuple(value([part for _, part in parts]) if parts else None for parts in seen)

    included = tuple(float(bool(parts)) for parts in seen)
    yield Condition(f"with {source}", "source", included, switch=True)
    places = tuple(
        _mean(number / (len(recipe.stages) - 1) for number, _ in parts)
        if parts and len(recipe.stages) > 1
        else None
        for recipe, parts in zip(recipes, seen, strict=True)
    )
    yield Condition(f"{source}: last instead of first", "position", places)
    yield Condition(
        f"{source}: one appearance more", "amount", where_in(lambda parts: float(len(parts)))
    )
    doubled = where_in(lambda parts: math.log2(sum(part.share for part in parts) or 1e-9))
    yield Condition(f"{source}: twice as much", "amount", doubled)
    similar = where_in(lambda parts: -math.log2(_mean(part.similar for part in parts)))
    yield Condition(f"{source}: only the more similar half", "amount", similar)
    negatives = where_in(lambda parts: _mean(part.negatives for part in parts))
    yield Condition(f"{source}: all windows without an answer, not none", "amount", negatives)
    absent = where_in(
        lambda parts: (
            None
            if any(part.unanswerable is None for part in parts)
            else 10 * _mean(part.unanswerable or 0.0 for part in parts)
        )
    )
    yield Condition(f"{source}: 10 % more questions without an answer", "amount", absent)
    yield from _languages(source, [[part for _, part in parts] for parts in seen])


def _languages(source: str, seen: Sequence[Sequence[Portion]]) -> Iterator[Condition]:
    """One for each language that some recipe chose; ``None`` in a portion takes all."""
    listed = sorted({name for parts in seen for part in parts for name in part.languages or ()})
    for language in listed:
        values = tuple(
            float(any(part.languages is None or language in part.languages for part in parts))
            if parts
            else None
            for parts in seen
        )
        yield Condition(f"{source}: with {language}", "language", values, switch=True)


def _augmentations(recipes: Sequence[Recipe]) -> Iterator[Condition]:
    used = [
        list(dict.fromkeys(use for stage in recipe.stages for use in stage.augmentations))
        for recipe in recipes
    ]
    every = list(dict.fromkeys(use for uses in used for use in uses))
    types = Counter(use.type for use in every)
    for use in every:
        values = tuple(float(use in uses) for uses in used)
        name = _named(use) if types[use.type] > 1 else use.type
        yield Condition(f"with {name}", "augmentation", values, switch=True)


def _named(use: AugmentationUse) -> str:
    return f"{use.type} ({', '.join(f'{key} {value}' for key, value in use.options)})"


def _methods(methods: Sequence[Method]) -> Iterator[Condition]:
    """Each way of training against the plain one, or the first in the order of words."""
    for field in fields(Method):
        plain, governor = field.default, _GOVERNED.get(field.name)
        found = {getattr(method, field.name) for method in methods}
        usual = plain if plain in found else min(found, key=str, default=plain)
        for value in sorted(found - {usual}, key=str):
            values = tuple(
                None if governor and not _on(method, governor) else float(chosen == value)
                for method in methods
                for chosen in (getattr(method, field.name),)
            )
            name = f"{field.name.replace('_', ' ')} {_shown(value)} instead of {_shown(usual)}"
            yield Condition(name, "method", values, switch=True)


def _on(method: Method, field: str) -> bool:
    return field in method.changed()


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value}"


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
