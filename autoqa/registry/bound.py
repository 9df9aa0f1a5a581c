"""A study whose plugins are found and whose plugin options are checked."""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TypeVar

from pydantic import BaseModel

from autoqa.api import (
    Augmentation,
    AugmentationSpec,
    BackboneFacts,
    BackboneSpec,
    Fetchable,
    SourceSpec,
    TrainingProtocol,
)
from autoqa.config.problems import parse
from autoqa.config.study import StudyFile
from autoqa.errors import AutoqaError, ConfigError, DataError, PluginError
from autoqa.recipes import Stage
from autoqa.registry.catalogue import Catalogue

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class BoundBackbone:
    """A ``[backbones.NAME]`` table with its plugin.

    Attributes:
        name: ``NAME``.
        spec: The plugin.
        options: An instance of ``spec.options``.
        protocol: The plugin's protocol with the table's changes applied.
    """

    name: str
    spec: BackboneSpec
    options: BaseModel
    protocol: TrainingProtocol

    def facts(self) -> BackboneFacts:
        """What the plugin knows of the model before anything is loaded."""
        return guarded(f"backbones.{self.name}", self.spec.name, self.spec.facts, self.options)


@dataclass(frozen=True)
class BoundSource:
    """A ``[sources.NAME]`` table with its plugin.

    Attributes:
        name: ``NAME``.
        spec: The plugin.
        options: An instance of ``spec.options``.
    """

    name: str
    spec: SourceSpec
    options: BaseModel


@dataclass(frozen=True)
class BoundAugmentation:
    """A ``[[recipe.augmentations]]`` table that may be used, with its plugin.

    Attributes:
        where: The table, such as ``recipe.augmentations[0]``.
        spec: The plugin.
        options: An instance of ``spec.options``.
    """

    where: str
    spec: AugmentationSpec
    options: BaseModel

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that it takes rows from, beside those that it changes."""
        return tuple(guarded(self.where, self.spec.name, self.spec.sources, self.options))


BoundTable = BoundBackbone | BoundSource | BoundAugmentation
"""A table of a study file that a plugin stands behind."""


def missing_of(where: str, bound: BoundTable) -> str | None:
    """What a table needs that is not on this machine, as a sentence; asks no network.

    It is a :class:`autoqa.api.Fetchable` where the plugin says that it can be fetched.

    Raises:
        PluginError: The plugin fails.
    """
    sentence = guarded(where, bound.spec.name, bound.spec.missing, bound.options)
    return None if sentence is None else type(sentence)(sentence.removesuffix("."))


@dataclass(frozen=True)
class BoundStudy:
    """A study file and the plugins it names.

    Attributes:
        study: The study file.
        backbones: Its backbones by name, in the file's order.
        sources: Its sources by name, in the file's order.
        catalogue: All plugins of this machine.
        changes: Its augmentations, in the file's order, without those that are never used.
        file: Where the study was read from; empty where that is not known.
    """

    study: StudyFile
    backbones: dict[str, BoundBackbone]
    sources: dict[str, BoundSource]
    catalogue: Catalogue
    changes: tuple[BoundAugmentation, ...] = ()
    file: str = ""

    @property
    def tables(self) -> dict[str, BoundTable]:
        """All that plugins stand behind, by its place in the study file."""
        return {
            **{f"backbones.{name}": bound for name, bound in self.backbones.items()},
            **{f"sources.{name}": bound for name, bound in self.sources.items()},
            **{bound.where: bound for bound in self.changes},
        }

    @property
    def used_sources(self) -> tuple[str, ...]:
        """Sources that runs may take rows from, in portions or for augmentations, each once."""
        portions = [each for each in self.study.recipe.portions if each.include is not False]
        lent = [name for change in self.changes for name in change.sources]
        return tuple(dict.fromkeys([*(portion.source for portion in portions), *lent]))

    def missing(self) -> list[str]:
        """What is not on this machine: one sentence each, led by the table that needs it.

        Those are :class:`autoqa.api.Fetchable` that :meth:`way_to_fetch` is about.
        """
        absent = []
        for where, bound in self.tables.items():
            sentence = missing_of(where, bound)
            if sentence is not None:
                absent.append(type(sentence)(f"{where}: {sentence}"))
        for name, backbone in self.backbones.items():
            sentence = missing_for_adapters(backbone.protocol)
            if sentence is not None:
                absent.append(f"backbones.{name}.protocol: {sentence}")
        return absent

    def way_to_fetch(self, missing: Iterable[str]) -> list[str]:
        """The line below all that is missing, where autoqa can get some of it itself.

        Args:
            missing: What :meth:`missing` returned.
        """
        if not any(isinstance(sentence, Fetchable) for sentence in missing):
            return []
        command = f"`autoqa fetch {self.file or 'STUDY.toml'}`"
        return [f"{command} gets all of it that can be fetched"]

    def to_make(self) -> dict[str, str]:
        """What loading sources would first make that may take long, a sentence each, by source.

        Sources that are not used, or of which something is missing, are left out.

        Raises:
            AutoqaError: A source's files cannot be read.
            PluginError: A plugin fails.
        """
        found = {}
        for name in dict.fromkeys([self.study.validation.source, *self.used_sources]):
            where, bound = f"sources.{name}", self.sources[name]
            if missing_of(where, bound) is None:
                sentence = guarded(where, bound.spec.name, bound.spec.to_make, bound.options)
                if sentence is not None:
                    found[name] = sentence
        return found

    def without_sources(self, names: Container[str]) -> "BoundStudy | None":
        """The study without what is made of some sources; ``None`` where nothing else is left.

        Args:
            names: Which sources.
        """
        recipe, validation = self.study.recipe, self.study.validation
        portions = tuple(each for each in recipe.portions if each.source not in names)
        if not portions or validation.source in names or recipe.target in names:
            return None
        recipe = recipe.model_copy(update={"portions": portions})
        changes = tuple(
            each for each in self.changes if not any(name in names for name in each.sources)
        )
        study = self.study.model_copy(update={"recipe": recipe})
        return replace(self, study=study, changes=changes)

    def change_keys(self) -> dict[str, str]:
        """What decides the work of augmentations beside their options, by table; none left empty.

        Raises:
            PluginError: A plugin fails.
        """
        keys = {
            bound.where: guarded(bound.where, bound.spec.name, bound.spec.key, bound.options)
            for bound in self.changes
        }
        return {where: key for where, key in keys.items() if key}

    def unusable_changes(self, missing: Iterable[str] = ()) -> list[str]:
        """What would stop the first run with an augmentation, such as a table of other columns.

        Args:
            missing: Sentences on what is not on this machine; such augmentations are left out.

        Raises:
            PluginError: A plugin fails.
        """
        absent = tuple(missing)
        problems = []
        for bound in self.changes:
            if any(sentence.startswith(f"{bound.where}:") for sentence in absent):
                continue
            try:
                guarded(bound.where, bound.spec.name, bound.spec.key, bound.options)
            except (ConfigError, DataError) as error:
                problems.append(f"{bound.where}: {error}")
        return problems

    def augmentation_keys(self, stage: Stage) -> list[str]:
        """What decides the work of a stage's augmentations beside their options, in its order.

        Raises:
            PluginError: A plugin fails.
        """
        return [
            guarded(f"augmentation {use.type!r}", use.type, spec.key, options)
            for use, (spec, options) in zip(stage.augmentations, self._used(stage), strict=True)
        ]

    def augmentations(self, stage: Stage) -> list[Augmentation]:
        """Builds the augmentations of a stage, in its order.

        Raises:
            PluginError: A plugin is unknown or fails.
            ConfigError: Its options are wrong.
        """
        return [
            guarded(f"augmentation {use.type!r}", use.type, spec.build, options)
            for use, (spec, options) in zip(stage.augmentations, self._used(stage), strict=True)
        ]

    def _used(self, stage: Stage) -> list[tuple[AugmentationSpec, BaseModel]]:
        """The plugins of a stage's augmentations, with their options."""
        used = []
        for use in stage.augmentations:
            where = f"augmentation {use.type!r}"
            spec = self.catalogue.augmentation(use.type, where)
            options, problems = parse(spec.options, dict(use.options))
            if options is None:
                raise ConfigError(*(f"{where}: {problem}" for problem in problems))
            used.append((spec, options))
        return used


def missing_for_adapters(protocol: TrainingProtocol) -> str | None:
    """A sentence if a protocol has adapters and the package that makes them is not here."""
    if not protocol.adapter_rank or find_spec("peft") is not None:
        return None
    return (
        f"adapter_rank = {protocol.adapter_rank} needs the package peft: pip install 'autoqa[lora]'"
    )


def guarded(
    where: str, plugin: str, function: Callable[[_Argument], _Result], argument: _Argument
) -> _Result:
    """Calls code of a plugin, and names the plugin if it breaks.

    Raises:
        AutoqaError: The plugin's own, as it is.
        PluginError: Anything else that the function raises.
    """
    try:
        return function(argument)
    except AutoqaError:
        raise
    except Exception as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{where}: the plugin {plugin!r} failed: {message}") from error
