"""Looks plugins up by the name a study gives; says what is wrong when that fails."""

from dataclasses import dataclass
from typing import TypeVar

from autoqa.api import AugmentationSpec, BackboneSpec, SourceSpec
from autoqa.errors import ConfigError, PluginError, did_you_mean
from autoqa.registry.records import GROUPS, PluginKind, Record

_Spec = TypeVar("_Spec", BackboneSpec, SourceSpec, AugmentationSpec)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All plugins found on this machine.

    Attributes:
        records: Working and failed ones, by kind and name.
        excluded: Those that ``AUTOQA_PLUGINS`` switches off; not imported.
        warnings: What is odd about ``AUTOQA_PLUGINS`` itself.
    """

    records: tuple[Record, ...] = ()
    excluded: tuple[Record, ...] = ()
    warnings: tuple[str, ...] = ()

    def backbone(self, type: str, where: str) -> BackboneSpec:
        """The backbone plugin of that name.

        Args:
            type: Its name.
            where: The dotted path that names it, for the message.

        Raises:
            PluginError: There is none, or it could not be loaded.
        """
        return self._spec("backbone", BackboneSpec, type, where)

    def source(self, type: str, where: str) -> SourceSpec:
        """The source plugin of that name; arguments and errors as for :meth:`backbone`."""
        return self._spec("source", SourceSpec, type, where)

    def augmentation(self, type: str, where: str) -> AugmentationSpec:
        """The augmentation plugin of that name; arguments and errors as for :meth:`backbone`."""
        return self._spec("augmentation", AugmentationSpec, type, where)

    def named(self, name: str, kind: str | None = None) -> Record:
        """The working plugin of a name, of whatever kind.

        Args:
            name: Its name.
            kind: Its kind; left out, it must be the only one of that name.

        Raises:
            PluginError: There is none, it could not be loaded, or several kinds have one.
            ConfigError: There is no such kind.
        """
        if kind is not None and kind not in GROUPS:
            hint = did_you_mean(kind, GROUPS) or f"; there are: {', '.join(GROUPS)}"
            raise ConfigError(f"no kind of plugin is called {kind!r}{hint}")
        kinds = [each for each in GROUPS if kind in (None, each)]
        found = [each for each in self.records if each.name == name and each.kind in kinds]
        if not found:
            if kind is not None:
                raise PluginError(self._unknown(kinds[0], name))
            names = sorted({record.name for record in self.records})
            hint = did_you_mean(name, names) or f"; there are: {', '.join(names) or 'none'}"
            raise PluginError(f"no plugin is named {name!r}{hint}")
        if len({each.kind for each in found}) > 1:
            choices = " or ".join(f"`{each.kind} {name}`" for each in found)
            raise PluginError(f"plugins of several kinds are named {name!r}: say {choices}")
        if found[0].spec is None:
            raise PluginError(
                f"the {found[0].kind} plugin {name!r} of {found[0].origin} cannot be used: "
                f"{found[0].failure}"
            )
        return found[0]

    def _spec(self, kind: PluginKind, wanted: type[_Spec], name: str, where: str) -> _Spec:
        for record in self.records:
            if (record.kind, record.name) != (kind, name):
                continue
            if isinstance(record.spec, wanted):
                return record.spec
            raise PluginError(
                f"{where}: the {kind} plugin {name!r} of {record.origin} cannot be used: "
                f"{record.failure}"
            )
        raise PluginError(f"{where}: {self._unknown(kind, name)}")

    def _unknown(self, kind: PluginKind, name: str) -> str:
        text = f"no {kind} plugin is named {name!r}"
        for record in self.excluded:
            if (record.kind, record.name) == (kind, name):
                return (
                    f"{text}, because AUTOQA_PLUGINS switches off {record.distribution}; "
                    "add that name to it"
                )
        names = sorted({record.name for record in self.records if record.kind == kind})
        others = [record.kind for record in self.records if record.name == name]
        notes = "".join(f" ({warning})" for warning in self.warnings)
        if not names:
            return f"{text}: no package that brings {kind}s is installed or switched on{notes}"
        if others:
            hint = f"; {name!r} is the name of a plugin of another kind ({others[0]});"
        else:
            hint = did_you_mean(name, names) or ";"
        return f"{text}{hint} there are: {', '.join(names)}{notes}"
