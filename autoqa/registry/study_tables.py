"""The tables of a study file as values: their keys with types, defaults and meanings."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from autoqa.api import TrainingProtocol
from autoqa.config.method_table import MethodTable
from autoqa.config.study import (
    AugmentationTable,
    BackboneTable,
    Range,
    SourceTable,
    StudyFile,
)
from autoqa.recipes import Method
from autoqa.registry.description import OptionDescription, option_descriptions, plain
from autoqa.registry.records import PluginKind

PLUGIN_TABLES: Mapping[PluginKind, type[BaseModel]] = {
    "source": SourceTable,
    "backbone": BackboneTable,
    "augmentation": AugmentationTable,
}
"""The tables that name a plugin, whose options stand beside their own keys."""

SAID_BY: Mapping[type[BaseModel], type] = {MethodTable: Method}
"""Whose docstring says what the keys of a table mean, where that is another class's."""


@dataclass(frozen=True, kw_only=True)
class TableDescription:
    """A table of a study file.

    Attributes:
        path: The dotted way to it, as ``recipe.portions`` or ``sources.NAME``; empty for the keys
            at the top.
        heading: How a file begins it: ``[sources.NAME]``, ``[[recipe.portions]]``.
        meaning: What it is, in one paragraph or several.
        keys: Its keys, those left out that are tables of their own.
        required: Whether a study file needs it.
        plugin: The kind of plugin that it names, whose options are keys of it, too.
    """

    path: str
    heading: str
    meaning: tuple[str, ...]
    keys: tuple[OptionDescription, ...]
    required: bool
    plugin: PluginKind | None


def study_tables() -> tuple[TableDescription, ...]:
    """All tables that a study file can have, in the order in which models define them."""
    return tuple(_tables(StudyFile, "", repeated=False, required=True))


def _tables(
    model: type[BaseModel], path: str, *, repeated: bool, required: bool
) -> Iterator[TableDescription]:
    fields = model.model_fields.items()
    inner = {field.alias or name: _inner(model, name, field.annotation) for name, field in fields}
    described = option_descriptions(model, SAID_BY.get(model, model))
    heading = f"[[{path}]]" if repeated else f"[{path}]"
    kinds = [kind for kind, table in PLUGIN_TABLES.items() if table is model]
    yield TableDescription(
        path=path,
        heading=heading if path else "",
        meaning=_paragraphs(model),
        keys=tuple(each for each in described if inner[each.name] is None),
        required=required,
        plugin=kinds[0] if kinds else None,
    )
    for key, field in ((field.alias or name, field) for name, field in fields):
        found = inner[key]
        if found is not None:
            table, container = found
            way = f"{path}.{key}".strip(".") + (".NAME" if container is dict else "")
            yield from _tables(
                table, way, repeated=container is tuple, required=field.is_required()
            )


def _inner(
    model: type[BaseModel], name: str, annotation: Any
) -> tuple[type[BaseModel], Any] | None:
    """The table that a key holds, and whether by names (``dict``), repeated (``tuple``) or once."""
    if model is BackboneTable and name == "protocol":
        return TrainingProtocol, None
    origin, arguments = get_origin(annotation), get_args(annotation)
    for each in (annotation, *arguments):
        # A range is a value with an inline table.
        if isinstance(each, type) and issubclass(each, BaseModel) and each is not Range:
            return each, origin if origin in (dict, tuple) else None
    return None


def _paragraphs(model: type[BaseModel]) -> tuple[str, ...]:
    """A docstring without the table's name at its beginning, and without attributes."""
    text = inspect.cleandoc(model.__doc__ or "").partition("Attributes:")[0].strip()
    if text.startswith("``["):
        text = text.partition("]``")[2].lstrip("]`:;. ")
    paragraphs = [plain(each) for each in text.split("\n\n") if each.strip()]
    return tuple(each[0].upper() + each[1:] for each in paragraphs)
