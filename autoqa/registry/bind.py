"""Binds a study file to plugins: names are looked up, options checked, protocols settled."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from autoqa.api import AugmentationSpec, BackboneSpec, SourceSpec, TrainingProtocol
from autoqa.config.load import StudyReading, read_study
from autoqa.config.phrases import shown
from autoqa.config.problems import (
    Place,
    dotted,
    known_keys,
    parse,
    subtable,
    without_places,
)
from autoqa.config.study import AugmentationTable, BackboneTable, SourceTable, StudyFile
from autoqa.errors import AutoqaError, ConfigError, PluginError, did_you_mean
from autoqa.registry.bound import (
    BoundAugmentation,
    BoundBackbone,
    BoundSource,
    BoundStudy,
    guarded,
)
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.discover import discover
from autoqa.scores.registry import objective

_Spec = TypeVar("_Spec", BackboneSpec, SourceSpec, AugmentationSpec)
_Table = TypeVar("_Table", bound=BaseModel)
_Result = TypeVar("_Result")


def open_study(path: Path, catalogue: Catalogue | None = None) -> BoundStudy:
    """Loads a study file and binds it; messages lead with the file's name.

    Args:
        path: A study file.
        catalogue: The plugins; left out, those of this machine.

    Raises:
        ConfigError: The file or an option in it is wrong.
        PluginError: A plugin that it names cannot be used.
    """
    reading = read_study(path)
    catalogue = catalogue or discover()
    if reading.study is None or reading.problems:
        raise _all_problems(reading, catalogue, str(path))
    return bind(reading.study, catalogue, file=str(path))


def _all_problems(reading: StudyReading, catalogue: Catalogue, file: str) -> AutoqaError:
    """What is wrong with a file, its plugins' options included, as far as tables can be read."""
    binder = _Binder(catalogue)
    data = reading.data
    sources, backbones = subtable(data, "sources"), subtable(data, "backbones")
    for name, table in sources.items():
        _with_table(SourceTable, table, partial(binder.source, name))
    for name, table in backbones.items():
        _with_table(BackboneTable, table, partial(binder.backbone, name))
    changes = subtable(data, "recipe").get("augmentations")
    for index, table in enumerate(changes if isinstance(changes, list) else ()):
        _with_table(AugmentationTable, table, partial(binder.augmentation, index, sources=sources))
    metric = subtable(data, "validation").get("metric")
    if isinstance(metric, str):
        binder.metric(metric)
    error = binder.error(file, reading)
    assert error is not None, "a file without problems is bound"
    return error


def _with_table(model: type[_Table], data: Any, use: Callable[[_Table], object]) -> None:
    table = parse(model, data)[0] if isinstance(data, Mapping) else None
    if table is not None:
        use(table)


def bind(study: StudyFile, catalogue: Catalogue, *, file: str = "") -> BoundStudy:
    """Finds the plugins a study names and checks their options.

    Args:
        study: A study file.
        catalogue: The plugins to choose from.
        file: Where the study was read from; leads every sentence if given.

    Raises:
        PluginError: At least one plugin cannot be used; holds the other problems, too.
        ConfigError: Every plugin was found, but options are wrong; all problems at once.
    """
    binder = _Binder(catalogue)
    sources = {name: binder.source(name, table) for name, table in study.sources.items()}
    backbones = {name: binder.backbone(name, table) for name, table in study.backbones.items()}
    tables = enumerate(study.recipe.augmentations)
    changes = [
        (table.include, binder.augmentation(index, table, study.sources)) for index, table in tables
    ]
    binder.metric(study.validation.metric)
    error = binder.error(file)
    if error is not None:
        raise error
    return BoundStudy(
        study=study,
        backbones={name: bound for name, bound in backbones.items() if bound is not None},
        sources={name: bound for name, bound in sources.items() if bound is not None},
        catalogue=catalogue,
        changes=tuple(bound for used, bound in changes if used and bound is not None),
        file=file,
    )


class _Binder:
    """Collects problems, so that one run of the command shows them all."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._plugins: list[str] = []
        self._options: list[str] = []

    def source(self, name: str, table: SourceTable) -> BoundSource | None:
        at = ("sources", name)
        spec = self.find(self._catalogue.source, table.type, at)
        options = self.options(spec, table.options, at) if spec is not None else None
        if spec is None or options is None:
            return None
        return BoundSource(name=name, spec=spec, options=options)

    def backbone(self, name: str, table: BackboneTable) -> BoundBackbone | None:
        at = ("backbones", name)
        spec = self.find(self._catalogue.backbone, table.type, at)
        if spec is None:
            return None
        options = self.options(spec, self._without_protocol_keys(spec, table, at), at)
        if options is None:
            place = (*at, "protocol")
            problems = parse(TrainingProtocol, table.protocol, place)[1]
            # What keys say together is the plugin's protocol's, which is not known.
            self._options += [each for each in problems if each.startswith(f"{dotted(place)}.")]
            return None
        protocol = self._protocol(spec, options, table, at)
        if protocol is None:
            return None
        return BoundBackbone(name=name, spec=spec, options=options, protocol=protocol)

    def augmentation(
        self, index: int, table: AugmentationTable, sources: Collection[str]
    ) -> BoundAugmentation | None:
        at = ("recipe", "augmentations", index)
        spec = self.find(self._catalogue.augmentation, table.type, at)
        options = self.options(spec, table.options, at) if spec is not None else None
        if spec is None or options is None:
            return None
        bound = BoundAugmentation(dotted(at), spec, options)
        for name in self._collect(lambda: bound.sources) or ():
            if name not in sources:
                hint = did_you_mean(name, sources) or f"; there are: {', '.join(sources)}"
                self._options.append(f"{bound.where}: there is no source {name!r}{hint}")
        return bound

    def metric(self, name: str) -> None:
        self._collect(lambda: objective(name, "validation.metric"))

    def find(self, lookup: Callable[[str, str], _Spec], name: str, at: Place) -> _Spec | None:
        return self._collect(lambda: lookup(name, dotted((*at, "type"))))

    def options(
        self,
        spec: BackboneSpec | SourceSpec | AugmentationSpec,
        data: dict[str, Any],
        at: Place,
    ) -> BaseModel | None:
        # A plugin's model may run code of its own, hence the same guard as for its functions.
        parsed = self._collect(
            lambda: guarded(dotted(at), spec.name, lambda _: parse(spec.options, data, at), None)
        )
        if parsed is None:
            return None
        self._options += parsed[1]
        return parsed[0]

    def error(self, file: str, reading: StudyReading | None = None) -> AutoqaError | None:
        """What was collected, if anything was, and what was wrong with the file before."""
        lead = f"{file}: " if file else ""
        given, unread = (reading.problems, reading.unread) if reading is not None else ((), ())
        plugins = without_places(self._plugins, unread)
        collected = dict.fromkeys((*plugins, *given, *without_places(self._options, unread)))
        problems = [f"{lead}{problem}" for problem in collected]
        if plugins:
            return PluginError("\n".join(problems))
        return ConfigError(*problems) if problems else None

    def _without_protocol_keys(
        self, spec: BackboneSpec, table: BackboneTable, at: Place
    ) -> dict[str, Any]:
        """The plugin's keys; those that belong one table deeper get a sentence that says so."""
        plugin_options = dict(table.options)
        if spec.options.model_config.get("extra") == "allow":
            return plugin_options
        for key in sorted(TrainingProtocol.model_fields.keys() & plugin_options.keys()):
            if key not in known_keys(spec.options, ()):
                del plugin_options[key]
                self._options.append(
                    f"{dotted((*at, key))}: unknown key; it belongs to the training protocol: "
                    f"{dotted((*at, 'protocol', key))}"
                )
        return plugin_options

    def _protocol(
        self, spec: BackboneSpec, options: BaseModel, table: BackboneTable, at: Place
    ) -> TrainingProtocol | None:
        def ask() -> list[object]:
            try:
                return [guarded(dotted(at), spec.name, spec.protocol, options)]
            except ConfigError as error:
                raise ConfigError(*(f"{dotted(at)}: {each}" for each in error.problems)) from error

        returned = self._collect(ask)
        if returned is None:
            return None
        protocol: object = returned[0]
        if not isinstance(protocol, TrainingProtocol):
            self._plugins.append(
                f"{dotted(at)}: the plugin {spec.name!r} failed: its protocol is {protocol!r}, "
                "not a TrainingProtocol"
            )
            return None
        changed, problems = parse(
            TrainingProtocol, {**protocol.model_dump(), **table.protocol}, (*at, "protocol")
        )
        self._options += problems
        if changed is not None and spec.kind == "text":
            self._options += _unfit_for_text(changed, dotted((*at, "protocol")))
        return changed

    def _collect(self, action: Callable[[], _Result]) -> _Result | None:
        try:
            return action()
        except PluginError as error:
            self._plugins.append(str(error))
        except ConfigError as error:
            self._options += error.problems
        return None


def _unfit_for_text(protocol: TrainingProtocol, where: str) -> list[str]:
    """What of a protocol a model that generates texts cannot be trained with."""
    reasons = {
        "precision": (
            "fp16",
            "the sums between layers of T5 and its kin are beyond half precision; take 'auto', "
            "'bf16' or 'fp32'",
        ),
        "cache_frozen": (True, "its decoder needs the encoder's layers together; take false"),
        "compile": (True, "texts are generated step by step, in tensors that grow; take false"),
    }
    return [
        f"{where}.{key}: {shown(value)} does not go with a backbone that generates answers: {why}"
        for key, (value, why) in reasons.items()
        if getattr(protocol, key) == value
    ]
