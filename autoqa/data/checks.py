"""What every row of every source must be, whoever wrote the plugin that loads it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from autoqa.errors import DataError
from autoqa.types import Example

_LANGUAGE = re.compile(r"[a-z]{2,3}")


def checked(rows: Iterable[object], source: str) -> list[Example]:
    """Checks a source's rows and gives them the source's name.

    Args:
        rows: What the plugin loaded.
        source: The source's name in the study file.

    Raises:
        DataError: A row is no example, lacks something, or has an answer that is not at its
            offset; the message names source and id, what was expected and what was found.
    """
    examples: list[Example] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Example):
            raise DataError(
                f"sources.{source}: row {number} is {type(row).__name__}, not Example; "
                "this is a fault of the plugin that loads it."
            )
        problem = row_problem(row)
        if problem:
            raise DataError(f"sources.{source}: row {number}, id {row.id!r}: {problem}")
        examples.append(
            Example(
                row.id, row.question, row.context, row.answers, row.language, row.document, source
            )
        )
    return examples


def row_problem(row: Example) -> str | None:
    """What is wrong with an example, as the end of a sentence; ``None`` where nothing is."""
    for field in ("id", "question", "context", "document"):
        value: object = getattr(row, field)
        if not isinstance(value, str):
            return f"{field} must be text, found {value!r}."
        if not value or value.isspace():
            return f"{field} is empty; correct or remove the row."
    if not isinstance(row.language, str) or not _LANGUAGE.fullmatch(row.language):
        return f"language must be an ISO 639 code such as 'hi', found {row.language!r}."
    for answer in row.answers:
        if not answer.text.strip():
            return "an answer is empty; a question without an answer has no answers at all."
        if answer.start < 0 or not row.context.startswith(answer.text, answer.start):
            actual = row.context[answer.start : answer.end] if answer.start >= 0 else ""
            return (
                f"expected the answer {answer.text[:60]!r} at character {answer.start} of the "
                f"context, found {actual[:60]!r}; correct the offset or remove the row."
            )
    return None


def unique(examples: list[Example], source: str) -> tuple[list[Example], list[str]]:
    """Makes ids unique and turns repeated questions into one with several references.

    Rows with the same question about the same context are one question that several people
    answered: their answers become references of the first row, one for each row, so that equal ones
    can be counted. Translations often keep the id of what they translate: they become
    ``id@language``. Another question under an id that is taken becomes ``id#2``.

    Args:
        examples: Rows of one source.
        source: Its name, for messages.

    Returns:
        The examples, in order, and sentences about what was done.
    """
    taken: set[tuple[str, str]] = set()
    numbers: defaultdict[tuple[str, str], Iterator[int]] = defaultdict(lambda: count(2))
    by_question: dict[tuple[str, str, str], int] = {}
    languages: dict[str, set[str]] = {}
    distinct: list[Example] = []
    merged = renamed = 0
    for example in examples:
        question = question_key(example.question)
        place = by_question.get((example.context, question, example.language))
        if place is not None:
            distinct[place] = replace(
                distinct[place], answers=distinct[place].answers + example.answers
            )
            merged += 1
            continue
        renamed += (key := (example.id, example.language)) in taken
        while (example.id, example.language) in taken:
            example = replace(example, id=f"{key[0]}#{next(numbers[key])}")
        taken.add((example.id, example.language))
        by_question[example.context, question, example.language] = len(distinct)
        languages.setdefault(example.id, set()).add(example.language)
        distinct.append(example)
    told_apart, notes = _told_apart(distinct, languages, source, merged)
    if renamed:
        notes.append(
            f"sources.{source}: rows with the id of another question: {renamed}; they are now "
            "called id#2, id#3 and so on."
        )
    return told_apart, notes


def _told_apart(
    examples: list[Example], languages: dict[str, set[str]], source: str, merged: int
) -> tuple[list[Example], list[str]]:
    """Gives translations ids of their own; the examples, and what was done in sentences."""
    notes = []
    if merged:
        notes.append(
            f"sources.{source}: repeated questions about the same context: {merged}; "
            "their answers became further references of the first."
        )
    several = {name for name, spoken in languages.items() if len(spoken) > 1}
    if several:
        examples = [
            replace(example, id=f"{example.id}@{example.language}")
            if example.id in several
            else example
            for example in examples
        ]
        notes.append(
            f"sources.{source}: ids that stand in several languages: {len(several)}; "
            "those rows are now called id@language."
        )
    return examples, notes


def question_key(question: str) -> str:
    """What is left of a question without case, white space and the mark at its end."""
    return "".join(question.split()).casefold().rstrip("?？؟.।")


def base_id(example: Example) -> str:
    """The id that translations of one question share."""
    return example.id.removesuffix(f"@{example.language}")
