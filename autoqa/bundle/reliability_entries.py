"""The parts of a manifest that say when there is no answer, and how sure answers are."""

from dataclasses import asdict
from typing import Annotated, Self

from pydantic import Field, model_validator

from autoqa.ensemble.joining.confidence import Confidence
from autoqa.ensemble.joining.none_rule import EvidenceScale, NoneRule
from autoqa.scores.calibration import Reliability
from autoqa.scores.summary import Entry, short_decimal

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Slope = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Unit = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class ThresholdEntry(Entry):
    """A threshold with its interval.

    Attributes:
        value: Probability of no answer above which none is given.
        low: Lower end of its 95 % interval (document bootstrap).
        high: Upper end.
        answerable: Public questions with an answer that it was fitted on.
        unanswerable: Public questions without.
    """

    value: _Unit
    low: _Unit
    high: _Unit
    answerable: _Count
    unanswerable: _Count

    @property
    def total(self) -> int:
        """Public questions that it was fitted on."""
        return self.answerable + self.unanswerable

    def __str__(self) -> str:
        ends = f"{short_decimal(self.low, 2)} to {short_decimal(self.high, 2)}"
        return f"{short_decimal(self.value, 2)} (95 % interval {ends})"


class AnswerSplitEntry(Entry):
    """Mean scores by whether there is an answer; see :mod:`autoqa.scores.answerability`.

    Attributes:
        answerable: Questions that have an answer.
        has_answer: Mean score of these.
        unanswerable: Questions that have none.
        no_answer: Mean score of these.
        all: Mean score of all questions.
        best: The same with the best possible threshold.
        best_threshold: That threshold.
        always: The same where every question gets an answer.
    """

    answerable: _Count
    has_answer: float
    unanswerable: _Count
    no_answer: float
    all: float
    best: float
    best_threshold: float
    always: float


class NoAnswerEntry(Entry):
    """When the ensemble gives no answer.

    Attributes:
        intercept: Log-odds of an answer at no evidence.
        slopes: Weight of each group's evidence.
        threshold: For all languages together.
        by_language: For languages with enough public questions of both kinds.
        public: Scores of the public part, which the thresholds were fitted on.
        private: Scores of the private part; bundles without it were exported before that was kept.
    """

    intercept: _Finite
    slopes: dict[str, _Slope]
    threshold: ThresholdEntry
    by_language: dict[str, ThresholdEntry] = Field(default_factory=dict)
    public: AnswerSplitEntry
    private: AnswerSplitEntry | None = None

    @property
    def rule(self) -> NoneRule:
        """The same as joining takes it."""
        own = {language: each.value for language, each in self.by_language.items()}
        scale = EvidenceScale(self.intercept, self.slopes)
        return NoneRule(scale, self.threshold.value, own)


class ReliabilityBinEntry(Entry):
    """Answers of like confidence; see :class:`autoqa.scores.calibration.ReliabilityBin`."""

    stated: _Unit
    reached: float
    low: float
    high: float
    questions: _Count


class SurestEntry(Entry):
    """The surest answers; see :class:`autoqa.scores.calibration.SurestShare`."""

    share: _Unit
    reached: float
    low: float
    high: float
    confidence: _Unit


class ConfidenceEntry(Entry):
    """How scores of answers are made, and what they are worth.

    Attributes:
        way: Which of the ways that were tried had the lowest log loss.
        intercept: Of the logistic curve.
        slopes: Weights of the span's log-odds, the members' agreement and the evidence.
        stated: Values of the curve at which steps were fitted; empty for none.
        reached: What answers there reach.
        error: Expected calibration error on the public part, by confidences that a question's
            document had no say in.
        before: The same of the spans' probabilities.
        bins: The same answers by confidence.
        surest: The surest of them.
    """

    way: str
    intercept: _Finite
    slopes: tuple[_Slope, _Slope, _Slope]
    stated: tuple[_Unit, ...] = ()
    reached: tuple[_Unit, ...] = ()
    error: _Unit
    before: float
    bins: tuple[ReliabilityBinEntry, ...] = ()
    surest: tuple[SurestEntry, ...] = ()

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.stated) != len(self.reached):
            raise ValueError("confidence.stated and confidence.reached must be equally long")
        for name in ("stated", "reached"):
            values = list(getattr(self, name))
            if values != sorted(values):
                raise ValueError(f"confidence.{name} must not fall")
        return self

    @property
    def confidence(self) -> Confidence:
        """The same as answering takes it."""
        return Confidence(self.intercept, self.slopes, self.stated, self.reached)


def confidence_entry(
    way: str, confidence: Confidence, found: Reliability, before: float
) -> ConfidenceEntry:
    """A fitted confidence in the words of the format."""
    return ConfidenceEntry(
        way=way,
        **asdict(confidence),
        error=found.error,
        before=before,
        bins=tuple(ReliabilityBinEntry(**asdict(each)) for each in found.bins),
        surest=tuple(SurestEntry(**asdict(each)) for each in found.surest),
    )
