"""One plugin as its entry point describes it, whether it can be used or not."""

from dataclasses import dataclass
from typing import Literal

from autoqa.api import AugmentationSpec, BackboneSpec, MetricSpec, SourceSpec

PluginKind = Literal["backbone", "source", "augmentation", "metric"]
Spec = BackboneSpec | SourceSpec | AugmentationSpec | MetricSpec

GROUPS: dict[PluginKind, str] = {
    "backbone": "autoqa.backbones",
    "source": "autoqa.sources",
    "augmentation": "autoqa.augmentations",
    "metric": "autoqa.metrics",
}
SPECS: dict[PluginKind, type[Spec]] = {
    "backbone": BackboneSpec,
    "source": SourceSpec,
    "augmentation": AugmentationSpec,
    "metric": MetricSpec,
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """One entry point of one installed distribution.

    Attributes:
        kind: Which of the groups it stands in.
        name: How study files name it.
        distribution: The package that brought it.
        version: That package's version.
        entry_point: ``module:attribute``.
        summary: The plugin's own line about itself; empty where it could not be loaded.
        failure: Why it cannot be used, or ``None``.
        spec: The plugin, or ``None`` where it could not be loaded.
        seconds: What importing it took; less where another plugin's module had been imported.
    """

    kind: PluginKind
    name: str
    distribution: str
    version: str
    entry_point: str
    summary: str = ""
    failure: str | None = None
    spec: Spec | None = None
    seconds: float = 0.0

    @property
    def origin(self) -> str:
        """Distribution and version, as messages name them."""
        return f"{self.distribution} {self.version}"
