"""What a plugin says of itself, as values: its options with types, defaults and meanings."""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from autoqa.api import BackboneSpec, MetricSpec, TrainingProtocol
from autoqa.config.problems import parse
from autoqa.errors import ConfigError
from autoqa.registry.bound import guarded
from autoqa.registry.records import PluginKind, Record, Spec


@dataclass(frozen=True, kw_only=True)
class OptionDescription:
    """One option of a plugin.

    Attributes:
        name: Its key in a study file.
        type: What it takes, as a phrase: ``integer of 1 or more``.
        default: Its default as a study file would say it; ``None`` where it is required, and
            ``"none"`` where leaving it out is the default.
        meaning: What it means; empty where the plugin does not say.
    """

    name: str
    type: str
    default: str | None
    meaning: str


@dataclass(frozen=True, kw_only=True)
class PluginDescription:
    """A plugin as its spec and some options describe it.

    Attributes:
        kind: Which kind of plugin it is.
        name: How study files name it.
        summary: Its own line about itself.
        distribution: The package that brought it.
        version: That package's version.
        entry_point: ``module:attribute``.
        api_version: The version of the plugin API that it was written for.
        options: What it takes.
        json_schema: The JSON schema of its options; ``None`` for metrics.
        protocol: How a backbone is fine-tuned, its values as defaults; ``None`` for other kinds, or
            where it is not known yet.
        facts: Further values, by what people call them: licence, citation, bounds of a metric.
        missing: What is not on this machine; ``None`` where nothing is, or it is not known yet.
        unasked: Why what depends on options is not known: which of them are required, or what
            is wrong with the defaults alone.
    """

    kind: PluginKind
    name: str
    summary: str
    distribution: str
    version: str
    entry_point: str
    api_version: int
    options: tuple[OptionDescription, ...]
    json_schema: Mapping[str, Any] | None
    protocol: tuple[OptionDescription, ...] | None
    facts: Mapping[str, Any]
    missing: str | None
    unasked: str


def describe(record: Record, table: Mapping[str, Any] = MappingProxyType({})) -> PluginDescription:
    """Describes a plugin that could be loaded.

    Args:
        record: The plugin.
        table: Its options as a study file would say them.

    Raises:
        ConfigError: The options do not fit.
        PluginError: The plugin's own code fails.
    """
    spec, where = record.spec, f"{record.kind} {record.name!r}"
    assert spec is not None
    model: type[BaseModel] | None = getattr(spec, "options", None)
    options, unasked = None, ""
    described: tuple[OptionDescription, ...] = ()
    schema = None
    if model is not None:
        described = guarded(where, record.name, option_descriptions, model)
        schema = model.model_json_schema()
        required = [each.name for each in described if each.default is None]
        if table or not required:
            options, problems = guarded(where, record.name, partial(parse, model), table)
            if options is None and table:
                raise ConfigError(*(f"{where}: {problem}" for problem in problems))
            unasked = "".join(f"give --options: {problem}" for problem in problems[:1])
        else:
            unasked = f"give --options {' '.join(f'{name}=...' for name in required)}"

    def asked(name: str) -> Any:
        function = getattr(spec, name, None)
        if options is None or function is None:
            return None
        return guarded(where, record.name, function, options)

    protocol = asked("protocol")
    return PluginDescription(
        kind=record.kind,
        name=record.name,
        summary=record.summary,
        distribution=record.distribution,
        version=record.version,
        entry_point=record.entry_point,
        api_version=spec.api_version,
        options=described,
        json_schema=schema,
        protocol=None if protocol is None else _values(protocol),
        facts=_facts(spec, asked),
        missing=asked("missing"),
        unasked=unasked,
    )


def _facts(spec: Spec, asked: Callable[[str], Any]) -> dict[str, Any]:
    if isinstance(spec, MetricSpec):
        better = "higher" if spec.higher_is_better else "lower"
        bounds = f"{spec.low:g} to {spec.high:g}, {better} is better"
        return {"scores": bounds, "words": f"cut as in {spec.segmentation!r}"}
    found: dict[str, Any] = {"gives": spec.kind} if isinstance(spec, BackboneSpec) else {}
    for name in ("licence", "citation", "languages"):
        value = asked(name)
        if value:
            found[name] = tuple(value) if name == "languages" else value
    return found


def _values(protocol: TrainingProtocol) -> tuple[OptionDescription, ...]:
    """The keys of a protocol with its values instead of the defaults."""
    values = protocol.model_dump(mode="json")
    return tuple(
        replace(each, default=_as_toml(values[each.name]))
        for each in option_descriptions(TrainingProtocol)
    )


def option_descriptions(
    model: type[BaseModel], said_by: type | None = None
) -> tuple[OptionDescription, ...]:
    """The options of a model in the order in which it defines them.

    Meanings are ``Field(description=...)`` or what stands below ``Attributes:`` in the docstring of
    the class or of one of its bases.

    Args:
        model: A plugin's options, or a table of a study file.
        said_by: The class whose docstring says what they mean; left out, the model.

    Raises:
        pydantic.PydanticUserError: The model has no JSON schema.
    """
    schema = model.model_json_schema()
    definitions, properties = schema.get("$defs", {}), schema.get("properties", {})
    said = meanings(said_by or model)
    described = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        described.append(
            OptionDescription(
                name=key,
                type=_phrase(properties.get(key, {}), definitions),
                default=_default(field),
                meaning=plain(field.description or said.get(name, "")),
            )
        )
    return tuple(described)


def plain(text: str) -> str:
    """A docstring's text in one line, without the marks of reStructuredText."""
    return " ".join(_MARKED.sub(r"`\1`", text).split())


_MARKED = re.compile(r"(?::\w+:)?`{1,2}([^`]+)`{1,2}")


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    return _as_toml(value)


def _as_toml(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict) and value:
        return f"{{ {', '.join(f'{key} = {_as_toml(each)}' for key, each in value.items())} }}"
    return "none" if value is None else json.dumps(value, default=str, ensure_ascii=False)


def meanings(model: type) -> dict[str, str]:
    """Attribute to meaning, out of docstrings in Google style; a class goes before its bases."""
    import docstring_parser

    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__doc__ and base not in (BaseModel, object):
            text = inspect.cleandoc(base.__doc__)
            parsed = docstring_parser.parse(text, docstring_parser.DocstringStyle.GOOGLE)
            found |= {each.arg_name: each.description or "" for each in parsed.params}
    return found


_PLAIN = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "none",
    "object": "table",
}
_BOUNDS = {
    "minimum": "{} or more",
    "exclusiveMinimum": "above {}",
    "maximum": "{} or less",
    "exclusiveMaximum": "below {}",
}
_FORMATS = {"path": "path", "file-path": "path", "directory-path": "folder", "date": "date"}


def _phrase(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a JSON schema admits, as a phrase."""
    if "$ref" in schema:
        return _phrase(definitions.get(schema["$ref"].rpartition("/")[2], {}), definitions)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return _either([json.dumps(each, ensure_ascii=False) for each in schema["enum"]])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            branches = [_phrase(each, definitions) for each in schema[key]]
            return _either([each for each in dict.fromkeys(branches) if each != "none"])
    kind = schema.get("type", "")
    if kind == "array":
        items = schema.get("items", {})
        return f"list of {_phrase(items, definitions)}" if items else "list"
    if kind == "object" and schema.get("properties"):
        *others, last = schema["properties"]
        return f"table of {' and '.join(filter(None, [', '.join(others), last]))}"
    name = _FORMATS.get(schema.get("format", ""), _PLAIN.get(kind, kind or "any value"))
    bounds = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    return " ".join([name, " and ".join(bounds)]).strip()


def _either(choices: list[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
