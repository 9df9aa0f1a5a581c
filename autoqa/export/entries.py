"""Scores as the manifest states them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from autoqa.types import Weights


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


class ConversionEntry(Entry):
    """What converting the weights changed, measured on the public part.

    Attributes:
        weights: What they were converted to.
        before: The ensemble's score with the weights in half precision.
        after: Its score with the converted ones.
        gain: Mean difference of the questions' Jaccard, negative where converting costs.
        low: Lower end of its 95 % interval (paired document bootstrap).
        high: Upper end.
        differing: Questions that are answered otherwise.
        bytes_before: Size of all members' weights in half precision.
        bytes_after: Size of all members' converted weights.
    """

    weights: Weights
    before: ScoreEntry
    after: ScoreEntry
    gain: float
    low: float
    high: float
    differing: Annotated[int, Field(ge=0)]
    bytes_before: Annotated[int, Field(ge=0)]
    bytes_after: Annotated[int, Field(ge=0)]

    @property
    def change(self) -> str:
        """``.853 -> .847 (-.006 ± .009)``: three digits, for the change is smaller than a score."""
        scores = f"{_short(self.before.jaccard, 3)} -> {_short(self.after.jaccard, 3)}"
        sign = "-" if self.gain < 0 else "+"
        half_width = (self.high - self.low) / 2
        return f"{scores} ({sign}{_short(abs(self.gain), 3)} ± {_short(half_width, 3)})"

    @property
    def answers(self) -> str:
        """``3 of 60 answers differ``."""
        return f"{self.differing} of {self.after.questions} answers differ"

    def __str__(self) -> str:
        after, before = (f"{size / 1e6:.1f} MB" for size in (self.bytes_after, self.bytes_before))
        return (
            f"{self.weights}: public {self.change}, {self.answers}; "
            f"weights {after} instead of {before}"
        )


def _short(value: float, digits: int) -> str:
    """``.61`` for 0.61: more digits than the interval supports would mislead."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0") else text
