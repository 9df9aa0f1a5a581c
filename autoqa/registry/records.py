"""One plugin as its entry point describes it, whether it can be used or not."""

from dataclasses import dataclass
from typing import Literal

from autoqa.api import AugmentationSpec, BackboneSpec, SourceSpec

PluginKind = Literal["backbone", "source", "augmentation"]
Spec = BackboneSpec | SourceSpec | AugmentationSpec

GROUPS: dict[PluginKind, str] = {
    "backbone": "autoqa.backbones",
    "source": "autoqa.sources",
    "augmentation": "autoqa.augmentations",
}
SPECS: dict[PluginKind, type[BackboneSpec] | type[SourceSpec] | type[AugmentationSpec]] = {
    "backbone": BackboneSpec,
    "source": SourceSpec,
    "augmentation": AugmentationSpec,
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One entry point of one installed distribution.

    Attributes:
        kind: Which of the three groups it stands in.
        name: How study files name it.
        distribution: The package that brought it.
        version: That package's version.
        entry_point: ``module:attribute``.
        summary: The plugin's own line about itself; empty where it could not be loaded.
        failure: Why it cannot be used, or ``None``.
        spec: The plugin, or ``None`` where it could not be loaded.
    """

    kind: PluginKind
    name: str
    distribution: str
    version: str
    entry_point: str
    summary: str = ""
    failure: str | None = None
    spec: Spec | None = None

    @property
    def origin(self) -> str:
        """Distribution and version, as messages name them."""
        return f"{self.distribution} {self.version}"
