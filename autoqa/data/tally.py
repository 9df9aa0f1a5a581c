"""One source's rows, counted: what they hold, and what is wrong with them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from autoqa.api import RawRow
from autoqa.data.checks import question_key
from autoqa.text.scripts import fit, scripts
from autoqa.types import Answer, Example

FINDING_KINDS = {
    "empty": "id, question, context or answer is empty",
    "no_offset": "answer without an offset",
    "absent": "answer does not occur in the context",
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

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
_SAMPLES = 5
_AROUND = 80
_FITS = 0.5


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


@dataclass(frozen=True, slots=True)
class Lengths:
    """Length of a field.

    Attributes:
        characters: Quantiles at :data:`QUANTILES`.
        words: The same in words, that is what white space separates.
        histogram: Shares of the texts in ten bins of equal width in the logarithm of characters.
    """

    characters: tuple[int, ...]
    words: tuple[int, ...]
    histogram: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SourceAudit:
    """What is in one source.

    Attributes:
        name: Its name in the study file.
        rows: Its rows.
        contexts: Different contexts.
        documents: Different documents.
        answers: References of all rows.
        unanswerable: Rows without an answer.
        languages: Rows by language.
        letters: Shares of the letters by script, for each language.
        lengths: By field: ``question``, ``context`` (each different one once), ``answer``.
        findings: Rows of each kind of :data:`KINDS` that there is.
        samples: Some of those rows.
    """

    name: str
    rows: int
    contexts: int
    documents: int
    answers: int
    unanswerable: int
    languages: dict[str, int]
    letters: dict[str, dict[str, float]]
    lengths: dict[str, Lengths]
    findings: dict[str, int]
    samples: dict[str, list[Sample]]


@dataclass
class Tally:
    """Takes a source's rows one after another.

    Attributes:
        name: The source's name in the study file.
        examples: The rows so far, for comparing sources; answers may not be at their places.
    """

    name: str
    examples: list[Example] = field(default_factory=list)
    answers: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    unanswerable: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    samples: defaultdict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    contexts: dict[str, Counter[str]] = field(default_factory=dict)
    letters: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    ids: set[tuple[str, str]] = field(default_factory=set)
    answers_of: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    sizes: defaultdict[str, list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, row: RawRow) -> None:
        """Counts one row and what is wrong with it."""
        self.languages[row.language] += 1
        self.answers += len(row.answers)
        self.unanswerable += not row.answers
        problems: dict[str, tuple[str, int, str]] = {}  # kind to note, place and text of the span
        if not all(text.strip() for text in (row.id, row.question, row.context)):
            problems["empty"] = ("", 0, "")
        for text, start in row.answers:
            for kind, finding in _of_answer(row.context, text, start):
                problems.setdefault(kind, finding)
            self.sizes["answer"].append(_size(text))
        self.sizes["question"].append(_size(row.question))
        first = next(((start or 0, text) for text, start in row.answers), (0, ""))
        for kind, note in [*self._repeated(row), *self._scripts(row)]:
            problems.setdefault(kind, (note, *first))
        for kind, (note, place, text) in problems.items():
            self.findings[kind] += 1
            if len(self.samples[kind]) < _SAMPLES:
                self.samples[kind].append(_sample(row, note, place, text))
        placed = tuple(Answer(text, start or 0) for text, start in row.answers if text.strip())
        self.examples.append(
            Example(
                row.id, row.question, row.context, placed, row.language, row.document, self.name
            )
        )

    def _repeated(self, row: RawRow) -> Iterator[tuple[str, str]]:
        if (row.id, row.language) in self.ids:
            yield "id", ""
        self.ids.add((row.id, row.language))
        key = (row.context, question_key(row.question))
        answers = frozenset(" ".join(text.split()).casefold() for text, _ in row.answers)
        before = self.answers_of.get(key)
        if before is None:
            self.answers_of[key] = answers
        elif before == answers:
            yield "duplicate", ""
        else:
            earlier = ", ".join(sorted(before)) or "nothing"
            yield "contradiction", f"an earlier such row answers: {earlier[:_AROUND]}"

    def _scripts(self, row: RawRow) -> Iterator[tuple[str, str]]:
        if row.context not in self.contexts:
            self.contexts[row.context] = scripts(row.context)
            self.letters[row.language] += self.contexts[row.context]
            self.sizes["context"].append(_size(row.context))
        for kind, letters in (
            ("question_script", scripts(row.question)),
            ("context_script", self.contexts[row.context]),
        ):
            share = fit(letters, row.language)
            if share < _FITS:
                yield kind, f"{share:.0%} of its letters fit the language {row.language}"

    def result(self) -> SourceAudit:
        """Counts, lengths, findings and samples of the rows so far."""
        letters = {
            language: {
                script: round(count / counts.total(), 4) for script, count in counts.most_common()
            }
            for language, counts in sorted(self.letters.items())
        }
        return SourceAudit(
            name=self.name,
            rows=len(self.examples),
            contexts=len(self.contexts),
            documents=len({example.document for example in self.examples}),
            answers=self.answers,
            unanswerable=self.unanswerable,
            languages=dict(self.languages.most_common()),
            letters=letters,
            lengths={key: _lengths(self.sizes[key]) for key in ("question", "context", "answer")},
            findings={kind: self.findings[kind] for kind in FINDING_KINDS if self.findings[kind]},
            samples={kind: self.samples[kind] for kind in FINDING_KINDS if self.findings[kind]},
        )


def _of_answer(
    context: str, text: str, start: int | None
) -> Iterator[tuple[str, tuple[str, int, str]]]:
    """What is wrong with one answer: kind, and (note, place, text of the span)."""
    if not text.strip():
        yield "empty", ("the answer is empty", start or 0, "")
        return
    bare = text.strip()
    place = context.find(bare)
    if start is None:
        yield "no_offset", (f"answer {bare[:_AROUND]!r}", max(0, place), bare if place >= 0 else "")
    elif start < 0 or not context.startswith(text, start):
        actual = context[start : start + len(text)] if start >= 0 else ""
        note = f"expected {text[:_AROUND]!r} at {start}, found {actual[:_AROUND]!r}"
        yield "offset", (note, max(0, start), actual)
    if place < 0:
        yield "absent", (f"answer {bare[:_AROUND]!r}", 0, "")
        return
    if bare != text:
        lead = len(text) - len(text.lstrip())
        note = f"{lead} in front, {len(text) - len(bare) - lead} behind"
        yield "blank", (note, place if start is None else start, text)
    count = context.count(bare)
    if count > 1:
        yield "several", (f"{count} times", place if start is None else start, bare)


def _sample(row: RawRow, note: str, place: int, text: str) -> Sample:
    end = place + len(text)
    return Sample(
        where=row.where,
        id=row.id,
        question=row.question,
        before=row.context[max(0, place - _AROUND) : place],
        span=row.context[place:end],
        after=row.context[end : end + _AROUND],
        note=note,
    )


def _size(text: str) -> tuple[int, int]:
    return len(text), len(text.split())


def _lengths(sizes: Sequence[tuple[int, int]]) -> Lengths:
    if not sizes:
        return Lengths((), (), ())
    table = np.array(sizes)
    quantiles = np.quantile(table, QUANTILES, axis=0, method="nearest").astype(int)
    counts, _ = np.histogram(np.log(np.maximum(1, table[:, 0])), bins=10)
    return Lengths(
        tuple(quantiles[:, 0].tolist()),
        tuple(quantiles[:, 1].tolist()),
        tuple((counts / len(table)).round(4).tolist()),
    )
