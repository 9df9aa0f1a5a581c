"""One source's rows, counted: what they hold, and what is wrong with them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from autoqa.api import RawRow
from autoqa.data.checks import question_key
from autoqa.data.findings import (
    AROUND,
    FINDING_KINDS,
    Sample,
    of_answer,
    problem_kind,
    sample_of,
)
from autoqa.placing.units import OffsetUnit, UnitEvidence, base_reading
from autoqa.text.scripts import fit, scripts
from autoqa.types import Answer, Example

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
_SAMPLES = 5
_PROBLEM_SAMPLES = 2
_FITS = 0.5


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
class UnitFit:
    """How the offsets of a source fit.

    Attributes:
        counted_in: What offsets are taken to count.
        fits: Offsets at which the answer's text stands.
        total: Offsets of the source.
    """

    counted_in: str
    fits: int
    total: int


@dataclass(frozen=True, slots=True)
class Loading:
    """What a search would make of a source's rows, as its options say.

    Attributes:
        repaired: Rows that would be repaired, by what is done.
        dropped: Rows that would be dropped, by what is wrong.
        refused: Why the source would be refused; empty where it would not.
    """

    repaired: dict[str, int]
    dropped: dict[str, int]
    refused: str = ""


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
        findings: Rows of each kind of :data:`autoqa.data.findings.FINDING_KINDS` that there is.
        samples: Some of those rows.
        problems: Rows that cannot be used, by what is wrong with them.
        units: What the offsets count: first what they are taken to count, then what more of them
            fit in.
        loading: What a search would make of the rows; ``None`` where the source does not read
            rows as others do.
        unreadable: Why the source could not be read to its end; empty where it was.
        exit_code: That of a command which this stops; 0 where it was read.
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
    problems: dict[str, int]
    units: list[UnitFit]
    loading: Loading | None = None
    unreadable: str = ""
    exit_code: int = 0


@dataclass
class Tally:
    """Takes a source's rows one after another.

    Attributes:
        name: The source's name in the study file.
        unit: What its offsets count, as the study file says.
        evidence: What its offsets count, as far as they say.
        examples: The usable rows so far, for comparing sources; answers may not be at their places.
    """

    name: str
    unit: OffsetUnit = "auto"
    examples: list[Example] = field(default_factory=list)
    rows: int = 0
    problems: Counter[str] = field(default_factory=Counter)
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

    def __post_init__(self) -> None:
        """Begins the evidence with the unit."""
        self.evidence = UnitEvidence(self.unit)

    def add(self, row: RawRow) -> None:
        """Counts one row and what is wrong with it."""
        self.rows += 1
        if row.problem:
            self._unusable(row)
            return
        self.languages[row.language] += 1
        self.answers += len(row.answers)
        self.unanswerable += row.labelled and not row.answers
        problems: dict[str, tuple[str, int, str]] = {}  # kind to note, place and text of the span
        if not all(text.strip() for text in (row.id, row.question, row.context)):
            problems["empty"] = ("", 0, "")
        if not row.labelled:
            problems["unlabelled"] = ("", 0, "")
        for text, start in row.answers:
            for kind, finding in of_answer(row.context, text, start, base_reading(self.unit)):
                problems.setdefault(kind, finding)
            if start is not None and start >= 0 and text.strip():
                self.evidence.add(row.context, text, start)
            self.sizes["answer"].append(_size(text))
        self.sizes["question"].append(_size(row.question))
        first = next(((start or 0, text) for text, start in row.answers), (0, ""))
        for kind, note in [*self._repeated(row), *self._scripts(row)]:
            problems.setdefault(kind, (note, *first))
        for kind, (note, place, text) in problems.items():
            self.findings[kind] += 1
            if len(self.samples[kind]) < _SAMPLES:
                self.samples[kind].append(sample_of(row, note, place, text))
        placed = tuple(Answer(text, start or 0) for text, start in row.answers if text.strip())
        self.examples.append(
            Example(
                row.id, row.question, row.context, placed, row.language, row.document, self.name
            )
        )

    def _unusable(self, row: RawRow) -> None:
        kind = problem_kind(row.problem)
        self.findings["unusable"] += 1
        self.problems[kind] += 1
        if self.problems[kind] <= _PROBLEM_SAMPLES:
            self.samples["unusable"].append(sample_of(row, row.problem, 0, ""))

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
            yield "contradiction", f"an earlier such row answers: {earlier[:AROUND]}"

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
            rows=self.rows,
            contexts=len(self.contexts),
            documents=len({example.document for example in self.examples}),
            answers=self.answers,
            unanswerable=self.unanswerable,
            languages=dict(self.languages.most_common()),
            letters=letters,
            lengths={key: _lengths(self.sizes[key]) for key in ("question", "context", "answer")},
            findings={kind: self.findings[kind] for kind in FINDING_KINDS if self.findings[kind]},
            samples={kind: self.samples[kind] for kind in FINDING_KINDS if self.findings[kind]},
            problems=dict(self.problems.most_common()),
            units=[
                UnitFit(str(each.reading), each.fits, each.total)
                for each in self.evidence.counts()
                if each.total
            ],
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
