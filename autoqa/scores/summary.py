"""Scores of answers with their interval, in one shape for the manifest and the command line."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from autoqa.scores.bootstrap import interval
from autoqa.scores.metrics import QuestionScores, score
from autoqa.scores.registry import get_metric
from autoqa.types import DEFAULT_METRIC, Example


class Entry(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ScoreEntry(Entry):
    """Mean scores of one part of the validation set; in files one flat object.

    Attributes:
        scores: Means by name of the metric, the study's among them.
        low: Lower end of the 95 % interval of the study's metric (document bootstrap).
        high: Upper end.
        questions: How many questions the means are over.
        metric: The study's metric; in files only where it is not Jaccard.
    """

    scores: dict[str, float]
    low: float
    high: float
    questions: Annotated[int, Field(ge=1)]
    metric: str = DEFAULT_METRIC

    @model_validator(mode="before")
    @classmethod
    def _from_flat(cls, content: Any) -> Any:
        """Takes every number that is not one of the other fields for a metric's mean."""
        if not isinstance(content, Mapping) or "scores" in content:
            return content
        metric = content.get("metric", DEFAULT_METRIC)
        if metric not in content:
            raise ValueError(f"{metric} is missing")
        fields = {name: content[name] for name in cls.model_fields if name in content}
        scores = {
            name: value
            for name, value in content.items()
            if name not in fields and (name == metric or isinstance(value, int | float))
        }
        return {**fields, "scores": scores}

    @model_serializer
    def _flat(self) -> dict[str, Any]:
        named = {} if self.metric == DEFAULT_METRIC else {"metric": self.metric}
        own = {self.metric: self.score, "low": self.low, "high": self.high}
        return {**named, **own, **self.further, "questions": self.questions}

    @property
    def score(self) -> float:
        """Mean of the study's metric."""
        return self.scores[self.metric]

    @property
    def further(self) -> dict[str, float]:
        """The other means, by name of the metric."""
        return {name: mean for name, mean in self.scores.items() if name != self.metric}

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        return f"{short_decimal(self.score, 2)} ± {short_decimal(self.half_width, 2)}"


def score_answers(
    answers: Sequence[str], examples: Sequence[Example], metric: str = DEFAULT_METRIC
) -> ScoreEntry:
    """Means over all questions; the interval resamples documents.

    Args:
        answers: One text per example.
        examples: With their references; at least one.
        metric: The one that the interval is of.
    """
    get_metric(metric)  # of a plugin it is one of all metrics only when it was named
    return _entry(score(answers, examples), examples, range(len(examples)), metric)


def score_languages(
    answers: Sequence[str], examples: Sequence[Example], metric: str = DEFAULT_METRIC
) -> dict[str, ScoreEntry]:
    """The same for each language, in alphabetical order."""
    get_metric(metric)
    scores = score(answers, examples)
    rows: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        rows.setdefault(example.language, []).append(row)
    return {language: _entry(scores, examples, rows[language], metric) for language in sorted(rows)}


def _entry(
    scores: QuestionScores, examples: Sequence[Example], rows: Sequence[int], metric: str
) -> ScoreEntry:
    chosen = list(rows)
    spread = interval(scores.by_metric[metric][chosen], [examples[row].document for row in chosen])
    return ScoreEntry(
        scores={name: float(values[chosen].mean()) for name, values in scores.by_metric.items()},
        low=spread.low,
        high=spread.high,
        questions=len(chosen),
        metric=metric,
    )


def short_decimal(value: float, digits: int) -> str:
    """``.61`` for 0.61: more digits than the interval supports would mislead."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0") else text
