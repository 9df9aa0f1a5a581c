"""Training rows that would give validation answers away."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from autoqa.data.checks import base_id, question_key
from autoqa.data.split import plain
from autoqa.types import Example

# Shorter clauses, names and dates, are common to texts that have nothing to do with each other.
_CLAUSE = 20
_COMMON = 0.5
# "According to the United States Census Bureau" alone makes no copy.
_LEAST = 80
_ENDS = re.compile(r"[.,;:()!?。、！？।॥،؛؟\n]+")
# Two copies of one encyclopedia article often differ in its reference marks alone.
_MARKS = re.compile(r"\[[^\]]{1,12}\](:\d+)?")
# Ids such as "17" number rows; that two files both have a row 17 says nothing.
_ROW_NUMBER = re.compile(r"\d{1,6}")

REASONS = {
    "context": "with a context of the validation set",
    "text": "with half a context or more in common with it",
    "id": "with the id of one of its questions, as translations have",
    "question": "with one of its questions and the same answer",
}


class Overlap:
    """Finds what training rows have in common with the validation set.

    Args:
        held_out: Public and private examples together.
    """

    def __init__(self, held_out: Iterable[Example]) -> None:
        self._ids: set[str] = set()
        self._contexts: set[str] = set()
        self._questions: dict[str, set[str]] = defaultdict(set)
        self._clauses: dict[str, set[int]] = defaultdict(set)
        self._lengths: list[int] = []
        for example in held_out:
            if not _ROW_NUMBER.fullmatch(base_id(example)):
                self._ids.add(base_id(example))
            self._questions[question_key(example.question)] |= _texts(example)
            context = plain(example.context)
            if context not in self._contexts:
                self._contexts.add(context)
                clauses = _clauses(context)
                for clause in clauses:
                    self._clauses[clause].add(len(self._lengths))
                self._lengths.append(sum(map(len, clauses)))

    def remove(self, examples: Sequence[Example]) -> tuple[list[Example], Counter[str]]:
        """Splits off rows that overlap.

        Returns:
            The rows that may be trained on, and how many others there are for each key of
            :data:`REASONS`; a row counts once, for the first reason that holds.
        """
        kept: list[Example] = []
        counts: Counter[str] = Counter()
        known: dict[str, str | None] = {}
        for example in examples:
            if example.context not in known:
                known[example.context] = self._by_context(example.context)
            reason = known[example.context] or self._by_question(example)
            if reason is None:
                kept.append(example)
            else:
                counts[reason] += 1
        return kept, counts

    def _by_context(self, text: str) -> str | None:
        context = plain(text)
        if context in self._contexts:
            return "context"
        clauses = _clauses(context)
        common: Counter[int] = Counter()
        shared = 0
        for clause in clauses:
            holders = self._clauses.get(clause, ())
            shared += len(clause) if holders else 0
            for holder in holders:
                common[holder] += len(clause)
        # Either most of this text is known from validation, or this text, a whole article
        # perhaps, holds most of a validation context.
        near = shared >= max(_LEAST, _COMMON * sum(map(len, clauses))) or any(
            size >= max(_LEAST, _COMMON * self._lengths[holder]) for holder, size in common.items()
        )
        return "text" if near else None

    def _by_question(self, example: Example) -> str | None:
        if base_id(example) in self._ids:
            return "id"
        answers = self._questions.get(question_key(example.question))
        return "question" if answers and answers & _texts(example) else None


def sentence(source: str, total: int, counts: Counter[str]) -> str:
    """What was removed from a source and why, for people."""
    parts = [f"{counts[key]} {reason}" for key, reason in REASONS.items() if counts[key]]
    return (
        f"sources.{source}: {counts.total()} of {total} rows left out of training: "
        f"{', '.join(parts)}."
    )


def _clauses(context: str) -> set[str]:
    found = (clause.strip() for clause in _ENDS.split(_MARKS.sub("", context)))
    return {clause for clause in found if len(clause) >= _CLAUSE}


def _texts(example: Example) -> set[str]:
    return {plain(answer.text).casefold() for answer in example.answers}
