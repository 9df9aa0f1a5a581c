"""Validation with messages for people: every problem at once, with its dotted TOML path.

The one place that turns pydantic's errors into sentences: study files and plugin options share it.
"""

import datetime
import difflib
import json
import re
from collections.abc import Container, Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from autoqa.config.phrases import phrase, shown
from autoqa.errors import did_you_mean

Place = tuple[str | int, ...]
"""Keys and list indexes that lead from the top of a study file to a value."""

Model = TypeVar("Model", bound=BaseModel)

_LISTS_OF_TABLES = (("recipe", "portions"), ("recipe", "augmentations"), ("search", "enqueue"))


def dotted(place: Place) -> str:
    """The way a TOML path is written: ``recipe.portions[2].source``."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("-", "").replace("_", "")
            key = part if bare.isalnum() and bare.isascii() else json.dumps(part)
            text += f".{key}" if text else key
    return text


def subtable(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The table below a key; an empty one where something else stands there, or nothing."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def without_places(problems: Iterable[str], places: Container[str]) -> list[str]:
    """The problems that are not about one of some places.

    Args:
        problems: Sentences that begin with a dotted path.
        places: Dotted paths.
    """
    return [problem for problem in problems if problem.split(": ")[0] not in places]


def parse(
    model: type[Model], data: Mapping[str, Any], at: Place = ()
) -> tuple[Model | None, list[str]]:
    """Validates a table strictly, the way TOML types it: ``true`` is no number, ``"3"`` neither.

    Args:
        model: What the table must look like.
        data: The table as ``tomllib`` reads it.
        at: Where in the file it stands; begins every sentence.

    Returns:
        The value and no problems, or ``None`` and one sentence for each problem.
    """
    # JSON mode is what strictness means for a file format: a list is a tuple, a string a path.
    text = json.dumps(dict(data), default=_iso)
    try:
        return model.model_validate_json(text, strict=True), []
    except ValidationError as error:
        return None, list(_sentences(error, data, model, at))


def _iso(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"a study file cannot hold {value!r}")


def _sentences(
    error: ValidationError, data: Mapping[str, Any], model: type[BaseModel], at: Place
) -> Iterable[str]:
    grouped: dict[Place, list[ErrorDetails]] = {}
    for item in error.errors(include_url=False):
        place = _place(item, data)
        if item["loc"][-1:] == ("[key]",) and item["type"] != "extra_forbidden":
            yield f"{dotted(at + place)}: a name should be {phrase(item)}"
        else:
            grouped.setdefault(place, []).append(item)
    for place, items in grouped.items():
        # A value that fits one branch of a union almost, or a list whose items failed, is also
        # reported as a whole; the deeper report is the one that helps.
        if any(_below(other, place) for other in grouped):
            continue
        # One spelling mistake is both a missing and an unknown key; the latter says what to do.
        # Tables of plugins accept any key, so there the missing key is all there is.
        if items[0]["type"] == "missing":
            meant = _misspelt(place, data, model)
            if meant is not None and (*place[:-1], meant) in grouped:
                continue
        yield f"{dotted(at + place) or 'the file'}: {_sentence(place, items, data, model)}"


def _below(other: Place, place: Place) -> bool:
    return len(other) > len(place) and other[: len(place)] == place


def _place(item: ErrorDetails, data: Any) -> Place:
    """The error's location without the names of union branches that pydantic puts between."""
    place: list[str | int] = []
    here = data
    for part in item["loc"]:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            continue
        place.append(part)
    if item["type"] == "missing":
        place.append(item["loc"][-1])
    return tuple(place)


def _sentence(
    place: Place, items: list[ErrorDetails], data: Mapping[str, Any], model: type[BaseModel]
) -> str:
    kind = items[0]["type"]
    if kind == "missing":
        meant = _misspelt(place, data, model)
        return f"is missing; is it the key {meant!r}?" if meant else "is missing"
    if kind == "extra_forbidden":
        known = known_keys(model, place[:-1])
        hint = did_you_mean(str(place[-1]), known)
        return f"unknown key{hint or '; known here: ' + ', '.join(sorted(known))}"
    if kind in ("value_error", "assertion_error"):
        return phrase(items[0])
    wanted = list(dict.fromkeys(phrase(item) for item in items))
    value = items[0]["input"]
    literals = [str(item["ctx"]["expected"]) for item in items if item["type"] == "literal_error"]
    choices = re.findall(r"'([^']*)'", " ".join(literals))
    hint = did_you_mean(value, choices) if isinstance(value, str) else ""
    if place in _LISTS_OF_TABLES and isinstance(value, dict):
        hint = f"; write [[{dotted(place)}]], once for each"
    return f"should be {' or '.join(wanted)}, not {shown(value)}{hint}"


def _misspelt(place: Place, data: Any, model: type[BaseModel]) -> str | None:
    """The key that was probably meant to be the missing one."""
    for part in place[:-1]:
        data = data[part]
    strangers = sorted(set(data) - known_keys(model, place[:-1]))
    return next(iter(difflib.get_close_matches(str(place[-1]), strangers, n=1)), None)


def known_keys(model: type[BaseModel], place: Place) -> set[str]:
    """The keys that a model knows at a place below it."""
    types: list[Any] = [model]
    for part in place:
        types = [inner for outer in types for kind in _branches(outer) for inner in _in(kind, part)]
    models = [kind for outer in types for kind in _branches(outer) if _is_model(kind)]
    return {field.alias or name for table in models for name, field in table.model_fields.items()}


def _branches(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _branches(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for branch in get_args(annotation) for kind in _branches(branch)]
    return [annotation]


def _in(kind: Any, part: str | int) -> list[Any]:
    if _is_model(kind):
        fields = kind.model_fields.items()
        return [field.annotation for name, field in fields if part in (name, field.alias)]
    arguments = get_args(kind)
    if not arguments:
        return []
    return [arguments[1]] if get_origin(kind) is dict else [arguments[0]]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
