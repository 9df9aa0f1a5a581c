"""What a value should have been, in words of a study file rather than of pydantic."""

import json
from typing import Any

from pydantic_core import ErrorDetails

NAME_PATTERN = "^[a-z0-9][a-z0-9_-]*$"

_PATTERNS = {
    NAME_PATTERN: "of lower-case letters, digits, '-' and '_'",
    "^[a-z]{2,3}$": "the ISO code of a language, two or three letters such as 'hi'",
}

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "string_sub_type": "a string",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dataclass_type": "a table",
    "path_type": "a path in quotes",
}

_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def phrase(item: ErrorDetails) -> str:
    """What belongs behind "should be"; a validator's own message is left as it is."""
    kind, context = item["type"], item.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        message = str(context.get("error", item["msg"]))
        value = item["input"]
        if isinstance(value, dict) or str(value) in message:
            return message
        return f"{message} (the value is {shown(value)})"
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"{word} {context[key]:g}"
    if kind in ("literal_error", "enum"):
        return str(context["expected"])
    if kind in ("too_short", "too_long"):
        word, key = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        count = context[key]
        noun = "table" if context.get("field_type") == "Dictionary" else "list"
        return f"a {noun} of at {word} {count} item{'s' if count != 1 else ''}"
    if kind == "string_too_short" and context["min_length"] == 1:
        return "a text that is not empty"
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return _PATTERNS.get(pattern, f"a string that matches {pattern}")
    return item["msg"].removeprefix("Input should be ").removeprefix("Input should ")


def shown(value: Any) -> str:
    """A value as TOML writes it, cut to a length that a sentence bears."""
    if isinstance(value, dict):
        return "a table" if value else "an empty one"
    if value is None:
        return "unset"
    if isinstance(value, float):
        text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        return text if any(mark in text for mark in ".einf") else f"{text}.0"
    if isinstance(value, list | tuple):
        text = "[" + ", ".join(map(shown, value)) + "]"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
