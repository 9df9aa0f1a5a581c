"""Smaller runs of the same study: factors on the shares of its sources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self

from autoqa.recipes import Portion, Recipe

MIN_SHARE = 0.1
"""The least factor on a source's share: with less of it the recipes would be others than those
that the study's author wrote down, and he had better choose them himself."""


@dataclass(frozen=True, slots=True)
class ShareScale:
    """Factors on shares, the same for all recipes of a study.

    A recipe that is scaled holds the smaller shares: its hash, its card and whoever trains it again
    know of nothing else.

    Attributes:
        factors: Source to the factor on the shares of its portions, 0 < factor <= 1; others stay.
        target: The source that the study is about. Only what repeats its rows is scaled: a share
            does not fall below 1, nor below what it was.
    """

    factors: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    target: str | None = None

    def share(self, source: str, share: float) -> float:
        """What becomes of a portion's share; three significant digits where it changes."""
        factor = self.factors.get(source, 1.0)
        if factor == 1:
            return share
        scaled = float(f"{share * factor:.3g}")
        return max(min(share, 1.0), scaled) if source == self.target else scaled

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe with smaller shares, in canonical order."""
        if not self.factors:
            return recipe
        return replace(
            recipe,
            stages=tuple(
                replace(
                    stage,
                    portions=canonical(
                        replace(each, share=self.share(each.source, each.share))
                        for each in stage.portions
                    ),
                )
                for stage in recipe.stages
            ),
        )

    def as_json(self) -> dict[str, Any]:
        """The value that is stored with a study."""
        return {"factors": dict(self.factors), "target": self.target}

    @classmethod
    def from_json(cls, content: Mapping[str, Any] | None) -> Self:
        """What :meth:`as_json` gave; nothing is scaled where nothing was stored."""
        return cls() if content is None else cls(dict(content["factors"]), content["target"])


def canonical(portions: Iterable[Portion]) -> tuple[Portion, ...]:
    """Portions in the order that a stage holds them in: one recipe, one hash."""

    def order(portion: Portion) -> tuple[str, tuple[str, ...], float, float, float, float]:
        absent = -1.0 if portion.unanswerable is None else portion.unanswerable
        sizes = portion.share, portion.negatives, portion.similar, absent
        return portion.source, portion.languages or (), *sizes

    return tuple(sorted(portions, key=order))


def shortened(recipe: Recipe, share: float) -> Recipe:
    """A recipe with this share of every portion, for the time that is left at a search's end."""
    sources = {portion.source for stage in recipe.stages for portion in stage.portions}
    return ShareScale(dict.fromkeys(sources, share)).applied(recipe)
