"""Rows whose answer occurs several times and whose true place is known."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from autoqa_sources.file import FileOptions, load

from autoqa.data.checks import base_id, checked, unique
from autoqa.labels.ambiguous_answers import (
    AmbiguousAnswer,
    Coefficients,
    PlacedAnswer,
    find_ambiguous,
    learn,
)
from autoqa.placing.occurrences import sentences
from autoqa.types import Answer, Example

NOTHING = Coefficients(np.zeros(7), np.zeros(8))
"""Coefficients that prefer no place."""

PATTERNS = ("tydiqa-goldp.*.jsonl.gz", "xquad.*.json")


@dataclass(frozen=True, slots=True)
class Known:
    """A misplaced answer that occurs several times.

    Attributes:
        asked: The answer, at its first occurrence.
        truth: Where each annotator that gave this text saw it.
    """

    asked: AmbiguousAnswer
    truth: tuple[int, ...]

    @property
    def language(self) -> str:
        """Language of the row."""
        return self.asked.example.language

    @property
    def name(self) -> tuple[str, str]:
        """What translations of the row share."""
        return self.asked.example.source, base_id(self.asked.example)

    @property
    def first(self) -> bool:
        """Whether the first occurrence is right."""
        return self.asked.starts[0] in self.truth

    @property
    def chance(self) -> float:
        """Probability that a random occurrence is right."""
        return len(set(self.truth)) / len(self.asked.starts)

    @property
    def twin(self) -> bool:
        """Whether the true place's sentence holds the answer's text once more."""
        begins = [low for low, _ in sentences(self.asked.example.context)]
        numbers = np.searchsorted(begins, self.asked.starts, side="right").tolist()
        return any(
            numbers.count(number) > 1
            for number, start in zip(numbers, self.asked.starts, strict=True)
            if start in self.truth
        )

    @property
    def confirmed(self) -> bool:
        """Whether two annotators saw it in one place."""
        return len(self.truth) > 1 and len(set(self.truth)) == 1

    def trusted(self) -> AmbiguousAnswer:
        """The answer at its true place, to be learned from."""
        answers = list(self.asked.example.answers)
        answers[self.asked.number] = Answer(self.asked.answer.text, self.truth[0])
        return replace(self.asked, example=replace(self.asked.example, answers=tuple(answers)))


def corpora(folder: Path, patterns: Sequence[str] = PATTERNS) -> list[list[Example]]:
    """TyDi QA and XQuAD, a list for each corpus and language."""
    found: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            corpus, language = path.name.split(".")[:2]
            options = FileOptions(path=str(path), language=language)
            rows = checked(load(options), corpus)
            # XQuAD's ids are the same in all languages; TyDi's never meet.
            found[corpus, language] += [replace(one, id=f"{one.id}@{language}") for one in rows]
    # Rows of TyDi's two files are one source: some share contexts.
    return [unique(rows, corpus)[0] for (corpus, _), rows in sorted(found.items())]


def misplaced(examples: Sequence[Example]) -> list[Example]:
    """The rows as Kaggle's host would have them: every answer at its first occurrence."""
    found = []
    for one in examples:
        firsts = [Answer(each.text, one.context.find(each.text)) for each in one.answers]
        found.append(replace(one, answers=tuple(dict.fromkeys(firsts))))
    return found


def ambiguous(corpora: Sequence[Sequence[Example]]) -> list[Known]:
    """Answers of misplaced rows that occur several times, and where they truly stand.

    A corpus is one source in all its languages, so XQuAD's rows have their translations beside
    them.
    """
    sources: dict[str, list[Example]] = defaultdict(list)
    for examples in corpora:
        sources[examples[0].source] += examples
    found = []
    for examples in sources.values():
        rows = {(one.id, one.language): one for one in examples}
        for asked in find_ambiguous(misplaced(examples)):
            row = rows[asked.example.id, asked.example.language]
            starts = [each.start for each in row.answers if each.text == asked.answer.text]
            found.append(Known(asked, tuple(starts)))
    return found


def left_out(rows: Sequence[Known]) -> list[PlacedAnswer]:
    """Places every answer by weights that were learned from the other languages.

    Translations of a row that is placed are not learned from either.
    """
    placed: dict[int, PlacedAnswer] = {}
    for language in sorted({one.language for one in rows}):
        own = [row for row, one in enumerate(rows) if one.language == language]
        names = {rows[row].name for row in own}
        weights = learn(
            [one.trusted() for one in rows if one.language != language and one.name not in names],
            NOTHING,
        )
        placed.update((row, weights.place(rows[row].asked)) for row in own)
    return [placed[row] for row in range(len(rows))]


def deciles(
    rows: Sequence[Known], placed: Sequence[PlacedAnswer]
) -> list[tuple[float, float, int]]:
    """Mean confidence, share placed rightly and number of answers, by tenths of the confidence."""
    confidence = np.array([one.confidence for one in placed])
    right = np.array([one.start in row.truth for row, one in zip(rows, placed, strict=True)])
    parts = np.array_split(np.argsort(confidence, kind="stable"), 10)
    return [(float(confidence[p].mean()), float(right[p].mean()), len(p)) for p in parts]


def calibration_error(table: Sequence[tuple[float, float, int]]) -> float:
    """Expected calibration error: mean distance of confidence and share over the tenths."""
    total = sum(size for _, _, size in table)
    return sum(size * abs(said - was) for said, was, size in table) / total


def data_folder() -> Path:
    """Where the files are."""
    default = Path(__file__).parents[3] / "shared" / "data"
    return Path(os.environ.get("AUTOQA_DATA", default))
