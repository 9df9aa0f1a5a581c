"""What can be wrong with a row as it stands, and some rows that it is wrong with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autoqa.api import RawRow
from autoqa.placing.forms import LEVELS, variants
from autoqa.placing.units import Reading

FINDING_KINDS = {
    "unusable": "row cannot be used",
    "empty": "id, question, context or answer is empty",
    "unlabelled": "row says nothing about answers, not even that there is none",
    "no_offset": "answer without an offset",
    "absent": "answer does not occur in the context",
    "form": "answer occurs in another form only",
    "offset": "answer is not at its offset",
    "blank": "white space at the ends of an answer",
    "several": "answer occurs several times in the context",
    "duplicate": "same question about the same context, same answers",
    "contradiction": "same question about the same context, other answers",
    "id": "id that another row of the language has",
    "question_script": "question mostly in another script than its language's",
    "context_script": "context mostly in another script than its language's",
}
"""Kinds of findings, and what they mean."""

AROUND = 80
"""Characters of a text that are shown, and of the context on either side of a span."""

_DETAILS = re.compile(r"(?:[,;:(]| found ).*", re.DOTALL)
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass(frozen=True, slots=True)
class Sample:
    """One row that a finding holds for.

    Attributes:
        where: Its file and line, or its place in the source.
        id: Its id.
        question: Its question.
        before: Context in front of the span.
        span: What stands at the answer's offset, or the answer's first occurrence.
        after: Context behind the span.
        note: What is wrong, in a few words.
    """

    where: str
    id: str
    question: str
    before: str
    span: str
    after: str
    note: str = ""


def of_answer(
    context: str, text: str, start: int | None, reading: Reading
) -> Iterator[tuple[str, tuple[str, int, str]]]:
    """What is wrong with one answer.

    Args:
        context: The context.
        text: The answer's text.
        start: Its offset; ``None`` and -1 stand for none.
        reading: What the offset counts.

    Yields:
        The kind, and (note, place in the context, text of the span there).
    """
    place = 0 if start is None else reading.character(context, start)
    at = max(0, start or 0) if place is None else place
    if not text.strip():
        yield "empty", ("the answer is empty", at, "")
        return
    bare = text.strip()
    first = context.find(bare)
    if start is None or start == -1:
        at = max(0, first)
        yield "no_offset", (f"answer {bare[:AROUND]!r}", at, bare if first >= 0 else "")
    elif place is None or not context.startswith(text, place):
        actual = "" if place is None else context[place : place + len(text)]
        note = f"expected {text[:AROUND]!r} at {start}, found {actual[:AROUND]!r}"
        yield "offset", (note, at, actual)
    if first < 0:
        yield _elsewhere(context, bare)
        return
    if bare != text:
        lead = len(text) - len(text.lstrip())
        yield "blank", (f"{lead} in front, {len(text) - len(bare) - lead} behind", at, text)
    count = context.count(bare)
    if count > 1:
        yield "several", (f"{count} times", at, bare)


def _elsewhere(context: str, bare: str) -> tuple[str, tuple[str, int, str]]:
    note = f"answer {bare[:AROUND]!r}"
    forms = variants(context, bare)
    if not forms:
        return "absent", (note, 0, "")
    start, end = forms[0].start, forms[0].end
    return "form", (f"{note}, {LEVELS[forms[0].level]}", start, context[start:end])


def problem_kind(problem: str) -> str:
    """What problems of rows have in common that differ in values and details only."""
    return _DETAILS.sub("", _VALUES.sub("…", problem)).removesuffix(".").strip()


def sample_of(row: RawRow, note: str, place: int, text: str) -> Sample:
    """A row with what stands around a span of its context."""
    end = place + len(text)
    return Sample(
        where=row.where,
        id=row.id,
        question=row.question,
        before=row.context[max(0, place - AROUND) : place],
        span=row.context[place:end],
        after=row.context[end : end + AROUND],
        note=note,
    )
