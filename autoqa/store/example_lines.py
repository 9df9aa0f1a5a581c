"""Validation examples as lines of a file, and as digests that give nothing away."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from autoqa.errors import DataError
from autoqa.types import Answer, Example

Digests = dict[str, str]
"""Digest of each question's content by its id and language."""


def to_line(example: Example) -> str:
    """One example as a line of JSON."""
    return json.dumps(asdict(example), ensure_ascii=False) + "\n"


def from_line(line: str, where: str) -> Example:
    """What :func:`to_line` wrote.

    Raises:
        DataError: The line is something else; says where it stands.
    """
    try:
        row: dict[str, Any] = json.loads(line)
        answers = tuple(Answer(**answer) for answer in row.pop("answers"))
        return Example(**row, answers=answers)
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{where}: not an example ({error})") from error


def digests(examples: Iterable[Example]) -> Digests:
    """Digests of id, language, document, question, context and references.

    What the study file calls the source does not count.
    """
    rows = {}
    for example in examples:
        content = {key: value for key, value in asdict(example).items() if key != "source"}
        text = json.dumps(content, sort_keys=True)
        rows[f"{example.id}\n{example.language}"] = hashlib.sha256(text.encode()).hexdigest()
    return rows
