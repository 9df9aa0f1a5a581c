"""Scores of answers with their interval, in one shape for the manifest and the command line."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from autoqa.scores.bootstrap import interval
from autoqa.scores.metrics import QuestionScores, score
from autoqa.scores.registry import OBJECTIVE
from autoqa.types import Example


class Entry(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ScoreEntry(Entry):
    """Mean scores of one part of the validation set; in files one flat object.

    Attributes:
        scores: Means by name of the metric, Jaccard among them.
        low: Lower end of Jaccard's 95 % interval (document bootstrap).
        high: Upper end.
        questions: How many questions the means are over.
    """

    scores: dict[str, float]
    low: float
    high: float
    questions: Annotated[int, Field(ge=1)]

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, content: Any) -> Any:
        """Takes every number that is not one of the other fields for a metric's mean."""
        if not isinstance(content, Mapping) or "scores" in content:
            return content
        if OBJECTIVE not in content:
            raise ValueError(f"{OBJECTIVE} is missing")
        fields = {name: content[name] for name in cls.model_fields if name in content}
        scores = {
            name: value
            for name, value in content.items()
            if name not in fields and (name == OBJECTIVE or isinstance(value, int | float))
        }
        return {**fields, "scores": scores}

    @model_serializer
    def _flat(self) -> dict[str, Any]:
        bounds = {"low": self.low, "high": self.high}
        return {OBJECTIVE: self.jaccard, **bounds, **self.further, "questions": self.questions}

    @property
    def jaccard(self) -> float:
        """Mean word-level Jaccard, 0 to 1."""
        return self.scores[OBJECTIVE]

    @property
    def further(self) -> dict[str, float]:
        """The means but Jaccard's, by name of the metric."""
        return {name: mean for name, mean in self.scores.items() if name != OBJECTIVE}

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
    spread = interval(scores.jaccard[chosen], [examples[row].document for row in chosen])
    return ScoreEntry(
        scores={name: float(values[chosen].mean()) for name, values in scores.by_metric.items()},
        low=spread.low,
        high=spread.high,
        questions=len(chosen),
    )


def _short(value: float, digits: int) -> str:
    """``.61`` for 0.61: more digits than the interval supports would mislead."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0") else text
