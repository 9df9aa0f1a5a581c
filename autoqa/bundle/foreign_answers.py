"""Anybody's answers to the questions of a file, for scoring."""

from collections.abc import Sequence
from pathlib import Path

from autoqa.errors import DataError
from autoqa.reading.answers import read_answers
from autoqa.types import Example

_NAMED = 5
"""Ids that a sentence names, of many."""


def answers_to(examples: Sequence[Example], path: Path, file: Path) -> list[str]:
    """The answers of a file, one for each example.

    Args:
        examples: What was asked.
        path: The answers, see :func:`autoqa.reading.answers.read_answers`.
        file: Where the examples are from, for messages.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read, repeats an id, lacks one of an example, or has one of none.
    """
    answers = read_answers(path)
    lacking = [each.id for each in examples if each.id not in answers]
    if lacking:
        raise DataError(
            f"{path} has no answer to {len(lacking):,} of the {len(examples):,} rows of {file}: "
            f"{_named(lacking)}; give each one, the empty text where none was found."
        )
    known = {each.id for each in examples}
    unknown = [name for name in answers if name not in known]
    if unknown:
        raise DataError(
            f"{path} answers {len(unknown):,} ids that {file} does not have: {_named(unknown)}; "
            "name the file that was answered, or take them out."
        )
    return [answers[each.id] for each in examples]


def _named(ids: Sequence[str]) -> str:
    more = ", ..." if len(ids) > _NAMED else ""
    return ", ".join(map(repr, ids[:_NAMED])) + more
