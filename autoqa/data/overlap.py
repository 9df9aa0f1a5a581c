"""Training rows that would give validation answers away, and what else two sources share."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from autoqa.data.checks import base_id, question_key
from autoqa.data.near import NearIndex, Sketches, plain
from autoqa.types import Example

# Ids such as "17" number rows; that two files both have a row 17 says nothing.
_ROW_NUMBER = re.compile(r"\d{1,6}")
_QUESTIONS_ALIKE = 0.8  # normalised Levenshtein similarity; 0.9 if one character in ten is changed
_QUESTION_SHORT = 20  # characters; one number can be all that shorter questions differ in

Reason = Literal["context", "text", "id", "question"]

REASONS: dict[Reason, str] = {
    "context": "with a context of the validation set",
    "text": "with a near copy of one, or a passage from one",
    "id": "with the id of one of its questions, as translations have",
    "question": "with one of its questions, as it is or nearly, and the same answer",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that gives another row's answer away.

    Attributes:
        source: Source of the row.
        id: The row.
        held_source: Source of the row whose answer is given away.
        held: That row; for contexts, the first row with that context.
        reason: A key of :data:`REASONS`; the first that holds.
        share: How much of the shorter context, or of the question, both have; 0 to 1.
    """

    source: str
    id: str
    held_source: str
    held: str
    reason: Reason
    share: float = 1.0


class Overlap:
    """Finds what rows have in common with others, such as the validation set.

    Contexts that are equal up to white space, near copies and shared passages
    (:func:`autoqa.data.near.share`), ids that translations of a question have in common, and
    questions that are equal or nearly so and have an answer in common. A paraphrase, and a
    translation under another id, are not seen.

    Args:
        held_out: What the others are compared with; public and private examples together.
        sketches: Shared by all that look at the same contexts.
    """

    def __init__(self, held_out: Iterable[Example], sketches: Sketches | None = None) -> None:
        self._ids: dict[str, Example] = {}
        self._contexts: dict[str, Example] = {}
        self._questions: dict[str, dict[str, Example]] = defaultdict(dict)
        first: dict[str, Example] = {}
        for example in held_out:
            name = base_id(example)
            if not _ROW_NUMBER.fullmatch(name):
                self._ids.setdefault(name, example)
            for answer in _texts(example):
                self._questions[answer].setdefault(question_key(example.question), example)
            first.setdefault(example.context, example)
        for context, example in first.items():
            self._contexts.setdefault(plain(context), example)
        self._first = list(first.values())
        self._index = NearIndex(list(first), sketches)

    def find(self, examples: Sequence[Example]) -> dict[int, Leak]:
        """Rows that overlap, by their place among ``examples``, ascending."""
        contexts = list(dict.fromkeys(example.context for example in examples))
        known = self._by_context(contexts)
        leaks: dict[int, Leak] = {}
        for row, example in enumerate(examples):
            match = known.get(example.context) or self._by_question(example)
            if match is not None:
                held, reason, share = match
                leaks[row] = Leak(example.source, example.id, held.source, held.id, reason, share)
        return leaks

    def _by_context(self, contexts: Sequence[str]) -> dict[str, tuple[Example, Reason, float]]:
        matches: dict[str, tuple[Example, Reason, float]] = {}
        for near in self._index.find(contexts):
            context = contexts[near.text]
            if context not in matches or matches[context][2] < near.share:
                matches[context] = (self._first[near.held], "text", near.share)
        for context in contexts:
            same = self._contexts.get(plain(context))
            if same is not None:
                matches[context] = (same, "context", 1.0)
        return matches

    def _by_question(self, example: Example) -> tuple[Example, Reason, float] | None:
        translated = self._ids.get(base_id(example))
        if translated is not None:
            return translated, "id", 1.0
        best: tuple[Example, Reason, float] | None = None
        for answer in _texts(example):
            questions = self._questions.get(answer)
            if questions:
                match = _alike(question_key(example.question), questions)
                if match is not None and (best is None or match[1] > best[2]):
                    best = (match[0], "question", match[1])
        return best


def _alike(key: str, questions: dict[str, Example]) -> tuple[Example, float] | None:
    """The most similar question of those with the same answer, if it is similar enough."""
    if key in questions:
        return questions[key], 1.0
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    choices = list(questions)
    if len(key) < _QUESTION_SHORT:
        choices = [other for other in choices if _digits(other) == _digits(key)]
    match = process.extractOne(
        key, choices, scorer=Levenshtein.normalized_similarity, score_cutoff=_QUESTIONS_ALIKE
    )
    return None if match is None else (questions[match[0]], float(match[1]))


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def between(
    sources: Mapping[str, Sequence[Example]], sketches: Sketches | None = None
) -> list[Leak]:
    """What each source has in common with the ones before it; nothing is removed for that.

    Args:
        sources: Name to rows.
        sketches: Shared by all that look at the same contexts.
    """
    sketches = sketches or Sketches()
    names = list(sources)
    leaks: list[Leak] = []
    for place, name in enumerate(names[:-1]):
        overlap = Overlap(sources[name], sketches)
        for other in names[place + 1 :]:
            leaks += overlap.find(sources[other]).values()
    return leaks


def sentence(source: str, total: int, leaks: Iterable[Leak]) -> str:
    """What was removed from a source and why, for people."""
    counts = Counter(leak.reason for leak in leaks)
    parts = [f"{counts[key]} {reason}" for key, reason in REASONS.items() if counts[key]]
    return (
        f"sources.{source}: {counts.total()} of {total} rows left out of training: "
        f"{', '.join(parts)}."
    )


def _texts(example: Example) -> list[str]:
    """The different answers, without case and differences of white space."""
    return list(dict.fromkeys(_folded(answer.text) for answer in example.answers))


# Each source is compared with all others.
@lru_cache(maxsize=1 << 17)
def _folded(answer: str) -> str:
    return plain(answer).casefold()
