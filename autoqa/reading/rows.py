"""A row as it stands in a file, before anything is checked or repaired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in a source, before anything is checked or repaired.

    Attributes:
        where: File and line, row or path inside the file, for messages.
        id: Its id; its number in the file where that has none.
        question: The question.
        context: The context.
        answers: (text, start) of each reference; start is ``None`` where the source has none. Empty
            where it says that there is no answer.
        language: As the source spells it; empty where it has none.
        document: What the context was cut from; empty where the source does not say.
        labelled: Whether it says anything about answers, be it that there is none.
        problem: Why the row cannot be used, as a sentence; its other fields may be empty then.
        numbered: Whether the id is the row's number, which rows of other files have, too.
        contexts: Several texts in place of one context, where readers take them.
    """

    where: str
    id: str
    question: str
    context: str
    answers: tuple[tuple[str, int | None], ...]
    language: str = ""
    document: str = ""
    labelled: bool = True
    problem: str = ""
    numbered: bool = False
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a row, or a row's answers, should be and cannot be read.

    Attributes:
        problem: Why, as a sentence.
        id: The row's id, where that can be read all the same.
    """

    problem: str
    id: str = ""


ContextNeed = Literal["one", "any", "none"]
"""What rows must say of their context: one text, one or a list of them, or nothing."""

FileObject = Mapping[str, object]
"""An object as a file has it: a row, an article, a task."""

PlacedQuestions = Iterator[tuple[str, FileObject | Unusable]]
"""Questions under the names that are read, each with its place."""
