"""Predictions as text: CSV, JSON or JSON Lines."""

import json
from collections.abc import Sequence
from typing import Literal

from autoqa.bundle.predictor import Prediction

Format = Literal["csv", "json", "jsonl"]

_QUOTED = frozenset('",\r\n')


def render_answers(ids: Sequence[str], predictions: Sequence[Prediction], form: Format) -> str:
    """Writes one answer per row.

    Args:
        ids: The rows' ids.
        predictions: One per row.
        form: ``csv`` has the columns id and answer, quoted as RFC 4180 says, lines ending in a
            line feed; ``json`` is a list and ``jsonl`` has one object a line, with answer,
            start, end and score.
    """
    pairs = list(zip(ids, predictions, strict=True))
    if form == "csv":
        lines = [f"{_field(each)},{_field(prediction.answer)}" for each, prediction in pairs]
        return "".join(f"{line}\n" for line in ("id,answer", *lines))
    objects = [{"id": each, **prediction.to_dict()} for each, prediction in pairs]
    if form == "json":
        return json.dumps(objects, ensure_ascii=False, indent=2) + "\n"
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


def _field(text: str) -> str:
    # Python's csv writer leaves a lone carriage return unquoted when lines end in a line feed.
    if _QUOTED.isdisjoint(text) and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'
