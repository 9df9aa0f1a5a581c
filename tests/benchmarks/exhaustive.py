"""What reading every passage would answer, without reading those that cannot win.

What an answer is worth is its passage's evidence and what the passage's nearness counts. Passages
are read from the nearest on, and as far as one could still win if it had more evidence than any
that was read for any question, by :data:`MARGIN`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from autoqa.bundle.document_answers import _NEARNESS
from autoqa.bundle.documents import Documents, NearPassage
from autoqa.bundle.input_rows import Row
from autoqa.bundle.predictor import Ensemble, Prediction

FIRST = 200
"""Passages that are read for every question."""

MARGIN = 1.0
"""Nats above the highest evidence that was seen that an unread passage is thought able to have."""


@dataclass(slots=True)
class Reading:
    """What was read for one question.

    Attributes:
        question: The question.
        near: All passages, the nearest first.
        found: What the first of them answer.
    """

    question: str
    near: list[NearPassage]
    found: list[Prediction] = field(default_factory=list)

    @property
    def worth(self) -> list[float]:
        """Of each passage that was read, in nats."""
        pairs = zip(self.found, self.near, strict=False)
        return [each.evidence + _NEARNESS * near.nearness for each, near in pairs]

    def best(self, count: int | None = None) -> int:
        """The place of the best of the first passages."""
        return int(np.argmax(self.worth[:count]))

    def needed(self, evidence: float) -> int:
        """How many passages, from the nearest on, would win if they had so much evidence."""
        worth = max(self.worth)
        return sum(evidence + _NEARNESS * each.nearness >= worth for each in self.near)


class ExhaustiveReader:
    """Reads for some questions all that can win.

    Args:
        ensemble: What reads.
        documents: Where.
        questions: What is asked.
    """

    def __init__(self, ensemble: Ensemble, documents: Documents, questions: Sequence[str]) -> None:
        self._ensemble = ensemble
        self.readings = [Reading(text, documents.nearest(text)) for text in questions]

    def read(self, first: int = FIRST) -> None:
        """Reads until no unread passage can win."""
        counts = [first] * len(self.readings)
        while any(n > len(each.found) for n, each in zip(counts, self.readings, strict=True)):
            for count, each in zip(counts, self.readings, strict=True):
                self.read_for(each, count)
            counts = [each.needed(self.highest() + MARGIN) for each in self.readings]

    def read_for(self, reading: Reading, count: int | None = None) -> None:
        """Reads the nearest passages for one question; all of them where no number is given."""
        part = reading.near[len(reading.found) : count]
        rows = [Row("row", reading.question, each.passage.text) for each in part]
        reading.found += self._ensemble.predict(rows, keep_loaded=True)

    def highest(self, begin: int = 0, end: int | None = None) -> float:
        """The highest evidence of any passage at some places of nearness, in nats."""
        return max(
            (found.evidence for each in self.readings for found in each.found[begin:end]),
            default=float("-inf"),
        )

    def summary(self) -> str:
        """How much was read, and what was the highest evidence there."""
        counts = [len(each.found) for each in self.readings]
        bands = ", ".join(
            f"{self.highest(low, high):.1f} at places {low + 1:,} to {high:,}"
            for low, high in ((0, 50), (50, 200), (200, 1000), (1000, 100_000))
            if max(counts) > low
        )
        return (
            f"{sum(counts):,} passages read, {fmean(counts):,.0f} for a question (at most "
            f"{max(counts):,}); highest evidence {bands}"
        )
