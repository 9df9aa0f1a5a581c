"""A plugin that is checked, with its options and a folder to work in."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Generic, TypeVar

from autoqa.entry_points import installed
from autoqa.registry.records import GROUPS, SPECS, PluginKind, Spec

SpecT = TypeVar("SpecT", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class DamagedRows:
    """Options of a source whose files hold a row that cannot be used.

    Attributes:
        options: An instance of the source's options.
        place: What the error must say: file and line, as in ``"towns.csv, line 3"``.
    """

    options: Any
    place: str


@dataclass(frozen=True, kw_only=True)
class Subject(Generic[SpecT]):
    """A plugin that is checked.

    Attributes:
        spec: The plugin.
        options: An instance of its options; ``None`` for metrics, which have none.
        folder: Where checks may write.
        languages: ISO codes of languages that a backbone must know, besides those that it claims.
        damaged: What a source is to refuse.
        seconds: How long a backbone may take to learn twenty examples.
        made: What checks have made and others need, too, by name.
    """

    spec: SpecT
    options: Any
    folder: Path
    languages: tuple[str, ...] = ()
    damaged: DamagedRows | None = None
    seconds: float = 300.0
    made: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def kind(self) -> PluginKind:
        """Which kind of plugin it is."""
        return kind_of(self.spec)

    @cached_property
    def location(self) -> str | None:
        """``module:attribute`` of the spec; ``None`` where it stands in no module."""
        installed = [point.value for point in self.entry_points]
        return next(iter(installed), None) or _standing(self.spec)

    @cached_property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        """The entry points of installed distributions that lead to the spec."""
        return tuple(point for point in installed(GROUPS[self.kind]) if _leads(point, self.spec))


def kind_of(spec: object) -> PluginKind:
    """Which kind of plugin a spec is of.

    Raises:
        TypeError: It is no spec.
    """
    for kind, wanted in SPECS.items():
        if isinstance(spec, wanted):
            return kind
    raise TypeError(f"{spec!r} is no plugin; the kinds of specs are in autoqa.api")


def _leads(point: EntryPoint, spec: Spec) -> bool:
    return getattr(sys.modules.get(point.module), point.attr, None) is spec


def _standing(spec: Spec) -> str | None:
    """Where a spec stands, before where it is only imported."""
    places = list(_places(spec))
    homes = {getattr(value, "__module__", None) for value in vars(spec).values()}
    homes |= {getattr(getattr(spec, "options", None), "__module__", None)}
    own = [place for place in places if place.partition(":")[0] in homes]
    return next(iter([*own, *places]), None)


def _places(spec: Spec) -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        if name == "__main__":
            continue
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is spec:
                yield f"{name}:{attribute}"
