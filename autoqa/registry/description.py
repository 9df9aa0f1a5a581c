"""What a plugin says of itself, as values: its options with types, defaults and meanings."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo


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


def option_descriptions(model: type[BaseModel]) -> tuple[OptionDescription, ...]:
    """The options of a model in the order in which it defines them.

    Meanings are ``Field(description=...)`` or what stands below ``Attributes:`` in the docstring of
    the class or of one of its bases.

    Args:
        model: A plugin's options.

    Raises:
        pydantic.PydanticUserError: The model has no JSON schema.
    """
    schema = model.model_json_schema()
    definitions, properties = schema.get("$defs", {}), schema.get("properties", {})
    meanings = _meanings(model)
    described = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        described.append(
            OptionDescription(
                name=key,
                type=_phrase(properties.get(key, {}), definitions),
                default=_default(field),
                meaning=" ".join((field.description or meanings.get(name, "")).split()),
            )
        )
    return tuple(described)


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    return "none" if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Attribute to meaning, out of docstrings in Google style; a class goes before its bases."""
    import docstring_parser

    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__doc__ and issubclass(base, BaseModel) and base is not BaseModel:
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
    name = _FORMATS.get(schema.get("format", ""), _PLAIN.get(kind, kind or "any value"))
    bounds = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    return " ".join([name, " and ".join(bounds)]).strip()


def _either(choices: list[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
