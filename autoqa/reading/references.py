"""What a row says about its answers, in the forms that tools write."""

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from autoqa.reading.cells import literal
from autoqa.reading.rows import Unusable

_REFERENCES = (
    ("answers", "answer_start"),
    ("answer_text", "answer_start"),
    ("answers.text", "answers.answer_start"),
    ("answer", "answer_start"),
)
"""Where references stand, and where their offsets do unless beside them."""

_OWN = frozenset({str, int, float, bool, type(None), list, dict})
_TRUE, _FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no", "")

_NOTHING = ("", "none", "null", "nan")
"""What tables spell where a number is missing."""

Pair = tuple[str, int | None]


class UnusableRowError(Exception):
    """Carries the sentence about a row that cannot be used to where the row is made."""


def answers_of(raw: Mapping[str, object]) -> tuple[tuple[Pair, ...], bool]:
    """(text, start) of each reference, and whether the row says anything about answers.

    Args:
        raw: A row under the names that are read.

    Raises:
        UnusableRowError: They are in no form that is known.
    """
    impossible, answers = raw.get("is_impossible"), raw.get("answers")
    if impossible is not None and _truth(impossible):
        return (), True
    if type(answers) is list and len(answers) == 1:
        answers = answers[0]
    if type(answers) is dict:
        one = _one(answers.get("text"), answers.get("answer_start"))
        if one is not None:
            return one, True
    labelled = False
    for key, start_key in _REFERENCES:
        value = raw.get(key)
        if value is None or value == "":
            labelled = labelled or key in raw
        elif isinstance(value, Unusable):
            raise UnusableRowError(value.problem)
        elif is_missing(value):
            labelled = True
        else:
            return _references(key, value, raw.get(start_key)), True
    return (), labelled


def _references(key: str, value: object, starts: object) -> tuple[Pair, ...]:
    if key == "answer_text":
        one = _one(value, starts)
        if one is not None:
            return one
    if isinstance(value, str) and key != "answer_text":
        value = _spelt_answers(key, value)
    else:
        value = plain(value)
    if isinstance(value, Mapping):
        texts, starts = value.get("text"), value.get("answer_start")
        if "text" not in value:
            raise UnusableRowError(f"{key} has no text; it has {', '.join(value) or 'nothing'}.")
    elif isinstance(value, list) and value and all(map(_is_object, value)):
        texts = [each.get("text") for each in value]
        starts = [each.get("answer_start") for each in value]
    else:
        texts = value
    listed, places = _listed(texts), _listed(starts if type(starts) is list else _starts(starts))
    if not listed:
        return ()
    if not places and not isinstance(starts, list):
        places = [None] * len(listed)
    if len(listed) != len(places):
        raise UnusableRowError(
            f"{key} has {len(listed)} text but {len(places)} answer_start; "
            "give one offset for each text."
        )
    pairs = [_pair(text, start) for text, start in zip(listed, places, strict=True)]
    # An empty text at 0 or without a place is how tools write that there is no answer.
    return tuple(pair for pair in pairs if pair[0] or pair[1])


def _one(texts: object, starts: object) -> tuple[Pair, ...] | None:
    """The short way for what nearly every row has: one text with one place."""
    if type(texts) is list and type(starts) is list and len(texts) == len(starts) == 1:
        texts, starts = texts[0], starts[0]
    if type(texts) is not str or not texts:
        return None
    if type(starts) is str and starts.isdecimal():
        return ((texts, int(starts)),)
    return ((texts, starts),) if type(starts) is int and starts >= 0 else None


def _pair(text: object, start: object) -> Pair:
    if not isinstance(text, str):
        if not is_missing(text):
            raise UnusableRowError(f"an answer's text must be text, found {type_name(text)}.")
        text = ""
    return text, start if type(start) is int and start >= 0 else _offset(start)


def _spelt_answers(key: str, cell: str) -> object:
    """Answers that a cell spells; an answer may look like a list of numbers and be none."""
    try:
        value = _spelt(cell)
    except ValueError as error:
        if key != "answers":
            return cell
        raise UnusableRowError(
            f"answers must be an object or a list, found text that spells neither: {error}."
        ) from None
    if isinstance(value, list) and not all(isinstance(v, str | Mapping | None) for v in value):
        return cell
    return value


def _spelt(cell: object) -> object:
    """What a text spells that looks like a list or an object; all else as it is."""
    if not isinstance(cell, str):
        return plain(cell)
    if cell.startswith(("{", "[", "array(")) and cell.rstrip().endswith(("}", "]", ")")):
        return literal(cell)
    return cell


def _starts(cell: object) -> object:
    try:
        return _spelt(cell)
    except ValueError:
        return cell  # no whole number, as is said then


def _is_object(value: object) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def _listed(value: object) -> list[Any]:
    if type(value) is list:
        return value
    value = plain(value)
    if isinstance(value, list | tuple):
        return list(value)
    return [] if is_missing(value) else [value]


def _truth(value: object) -> bool:
    value = plain(value)
    word = "" if is_missing(value) else str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise UnusableRowError(f"is_impossible must be true or false, found {value!r:.60}.")


def _offset(start: object) -> int | None:
    """A first character; ``None`` where it is unknown, which -1 says, too."""
    value = plain(start)
    if isinstance(value, str):
        word = value.strip()
        if word.isdecimal():
            return int(word)
        if word.lower() in _NOTHING:
            return None
        with contextlib.suppress(ValueError):
            value = int(word) if word.lstrip("+-").isdecimal() else float(word)
    if is_missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        raise UnusableRowError(f"answer_start must be a whole number, found {start!r:.60}.")
    return None if value == -1 else int(value)


def plain(value: object) -> object:
    """Arrays and numbers of NumPy as Python's own."""
    if type(value) in _OWN:
        return value
    tolist: Callable[[], object] | None = getattr(value, "tolist", None)
    return value if tolist is None else tolist()


def is_missing(value: object) -> bool:
    """Whether a value is null, or NaN as pandas has it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def type_name(value: object) -> str:
    """What a value is, for messages."""
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "a boolean"}
    return names.get(type(value), f"{value!r:.60}")
