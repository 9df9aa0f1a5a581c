"""The JSON schema of study files, with the options of the plugins that are installed.

Editors that check TOML by a schema (Taplo, Even Better TOML) complete keys and show what they mean.
"""

import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from autoqa.api import TrainingProtocol
from autoqa.config.study import StudyFile
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.description import meanings, plain
from autoqa.registry.records import PluginKind
from autoqa.registry.study_tables import PLUGIN_TABLES, SAID_BY

Schema = dict[str, Any]


def study_schema(catalogue: Catalogue) -> Schema:
    """The schema; plugins that cannot be used are left out.

    Args:
        catalogue: The plugins.
    """
    schema = StudyFile.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    for model in _models(StudyFile):
        described = schema if model is StudyFile else definitions.get(model.__name__)
        if described is not None:
            _explain(described, model)
    protocol = TrainingProtocol.model_json_schema()
    _explain(protocol, TrainingProtocol)
    definitions[TrainingProtocol.__name__] = protocol
    for kind, table in PLUGIN_TABLES.items():
        definitions[table.__name__] = {
            "oneOf": [
                _plugin_table(kind, each.name, each.spec.options, definitions)
                for each in catalogue.records
                if each.kind == kind and each.spec is not None and hasattr(each.spec, "options")
            ]
        }
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_in_draft_07(schema)}


def _plugin_table(
    kind: PluginKind, name: str, options: type[BaseModel], definitions: Schema
) -> Schema:
    """The table of one plugin: its options beside the keys that all tables of its kind have."""
    own = options.model_json_schema()
    _explain(own, options)
    prefix = f"{kind}.{name}."
    for key, each in own.pop("$defs", {}).items():
        definitions[prefix + key] = _renamed(each, prefix)
    own = _renamed(own, prefix)
    shared = PLUGIN_TABLES[kind].model_json_schema()
    _explain(shared, PLUGIN_TABLES[kind])
    if kind == "backbone":
        # Beside a reference draft 7 reads nothing.
        shared["properties"]["protocol"] = {
            "allOf": [_reference(TrainingProtocol.__name__)],
            "description": shared["properties"]["protocol"]["description"],
        }
    return {
        "title": f"{kind} {name}",
        "type": "object",
        "properties": {
            **shared["properties"],
            "type": {"const": name},
            **own.get("properties", {}),
        },
        "required": ["type", *own.get("required", [])],
        "additionalProperties": own.get("additionalProperties", True),
    }


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those of its fields, at any depth."""
    yield model
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            yield from _models(part)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _explain(schema: Schema, model: type[BaseModel]) -> None:
    """Writes what keys mean into a schema, and what the whole is in place of the docstring."""
    said = meanings(SAID_BY.get(model, model))
    schema["description"] = plain((model.__doc__ or "").partition("\n\n")[0])
    for name, field in model.model_fields.items():
        key = field.alias or name
        text = field.description or said.get(name, "")
        if text and key in schema.get("properties", {}):
            schema["properties"][key]["description"] = plain(text)


def _renamed(schema: Schema, prefix: str) -> Schema:
    """A plugin's schema whose definitions stand among those of all."""
    renamed = json.dumps(schema).replace('"#/$defs/', f'"#/$defs/{prefix}')
    found: Schema = json.loads(renamed)
    return found


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _in_draft_07(schema: Schema) -> Schema:
    """The same in the words that editors know, who mostly read draft 7."""
    found: Schema = json.loads(json.dumps(schema).replace('"#/$defs/', '"#/definitions/'))
    found["definitions"] = found.pop("$defs")
    return found
