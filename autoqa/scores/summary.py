"""Scores of answers with their interval, in one shape for the manifest and the command line."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from autoqa.scores.bootstrap import interval
from autoqa.scores.metrics import QuestionScores, score
from autoqa.types import Example


class Entry(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ScoreEntry(Entry):
    """Mean word-level Jaccard of one part of the validation set, 0 to 1.

    Attributes:
        jaccard: The mean.
        low: Lower end of its 95 % interval (document bootstrap).
        high: Upper end.
        em: Mean SQuAD exact match.
        f1: Mean SQuAD F1.
        questions: How many questions the means are over.
    """

    jaccard: float
    low: float
    high: float
    em: float
    f1: float
    questions: Annotated[int, Field(ge=1)]

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        return f"{_short(self.jaccard, 2)} ± {_short(self.half_width, 2)}"


def score_answers(answers: Sequence[str], examples: Sequence[Example]) -> ScoreEntry:
    """Means over all questions; the interval resamples documents.

    Args:
        answers: One text per example.
        examples: With their references; at least one.
    """
    return _entry(score(answers, examples), examples, range(len(examples)))


def score_languages(answers: Sequence[str], examples: Sequence[Example]) -> dict[str, ScoreEntry]:
    """The same for each language, in alphabetical order."""
    scores = score(answers, examples)
    rows: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        rows.setdefault(example.language, []).append(row)
    return {language: _entry(scores, examples, rows[language]) for language in sorted(rows)}


def _entry(scores: QuestionScores, examples: Sequence[Example], rows: Sequence[int]) -> ScoreEntry:
    chosen = list(rows)
    jaccard = scores.jaccard[chosen]
    spread = interval(jaccard, [examples[row].document for row in chosen])
    return ScoreEntry(
        jaccard=float(jaccard.mean()),
        low=spread.low,
        high=spread.high,
        em=float(scores.em[chosen].mean()),
        f1=float(scores.f1[chosen].mean()),
        questions=len(chosen),
    )


def _short(value: float, digits: int) -> str:
    """``.61`` for 0.61: more digits than the interval supports would mislead."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0") else text
