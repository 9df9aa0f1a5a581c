"""Predictions as text: CSV, JSON, JSON Lines, or what the scripts of SQuAD take."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from autoqa.bundle.prediction import Prediction

Format = Literal["csv", "json", "jsonl", "squad"]

_QUOTED = frozenset('",\r\n')
_PLACE = ("document", "start", "end")
"""Columns that CSV has beside id and answer where answers come from many documents."""


def render_answers(ids: Sequence[str], predictions: Sequence[Prediction], form: Format) -> str:
    """Writes one answer per row.

    Args:
        ids: The rows' ids.
        predictions: One per row.
        form: ``csv`` has the columns id and answer, quoted as RFC 4180 says, lines ending in a
            line feed, and the place where answers come from many documents; ``json`` is a list and
            ``jsonl`` has one object a line, with answer, start, end, score and what else is known;
            ``squad`` is one object of id to answer.
    """
    pairs = list(zip(ids, predictions, strict=True))
    if form == "csv":
        placed = any(prediction.passage is not None for prediction in predictions)
        lines = [_line(each, prediction, placed=placed) for each, prediction in pairs]
        header = ",".join(("id", "answer", *(_PLACE if placed else ())))
        return "".join(f"{line}\n" for line in (header, *lines))
    if form == "squad":
        return _document({each: prediction.answer for each, prediction in pairs})
    objects = [{"id": each, **prediction.to_dict()} for each, prediction in pairs]
    if form == "json":
        return _document(objects)
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


def render_no_answers(ids: Sequence[str], predictions: Sequence[Prediction]) -> str:
    """Writes the probability that there is no answer, by id, as SQuAD 2.0's script takes it.

    Args:
        ids: The rows' ids.
        predictions: One per row; where it is not known, no answer was given.
    """
    pairs = zip(ids, predictions, strict=True)
    return _document({each: 1.0 if p.no_answer is None else p.no_answer for each, p in pairs})


def _document(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _line(name: str, prediction: Prediction, *, placed: bool) -> str:
    fields = [name, prediction.answer]
    if placed:
        values = prediction.to_dict()
        found = prediction.passage is not None and prediction.answer
        fields += [str(values[key]) if found else "" for key in _PLACE]
    return ",".join(map(_field, fields))


def _field(text: str) -> str:
    # Python's csv writer leaves a lone carriage return unquoted when lines end in a line feed.
    if _QUOTED.isdisjoint(text) and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'
