"""Answers, as a bundle gives them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from autoqa.bundle.documents import Passage


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer; ``prediction["answer"]`` and ``dict(prediction)`` work, too.

    Attributes:
        answer: Its text; empty where no answer was found. Where groups voted words away in the
            middle, it is shorter than the fragment that it was cut from.
        start: First character of that fragment in the context; of many documents, in the document
            that ``passage`` names.
        end: One past its last character.
        score: Confidence, 0 to 1, higher is better; comparable between rows of one bundle. Of an
            answer from many documents: comparable between the answers to one question.
        no_answer: Probability that the context holds no answer; ``None`` where the bundle was
            validated on no question without one, and so cannot tell.
        passage: Which part of which document the answer was found in; ``None`` where there was one
            context.
        others: The next best answers, best first, where more than one was asked for.
        evidence: How much speaks for the answer against none, see
            :class:`autoqa.ensemble.joining.join.Joined`; of many documents less the further the
            passage is from the question, see :mod:`autoqa.bundle.document_answers`.
        agreement: Of the ensemble's members with it, 0 to 1.
    """

    answer: str
    start: int
    end: int
    score: float
    no_answer: float | None = None
    passage: Passage | None = None
    others: tuple["Prediction", ...] = ()
    evidence: float = field(default=0.0, compare=False, repr=False)
    agreement: float = field(default=1.0, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Its values by name, for JSON; without what is not known or was not asked for."""
        values: dict[str, Any] = {
            "answer": self.answer,
            "start": self.start,
            "end": self.end,
            "score": self.score,
        }
        if self.no_answer is not None:
            values["no_answer"] = self.no_answer
        if self.passage is not None:
            values["document"] = self.passage.name or self.passage.document
            values["passage"] = self.passage.text
            values["passage_start"] = self.passage.start
        if self.others:
            values["others"] = [other.to_dict() for other in self.others]
        return values

    def alone(self) -> "Prediction":
        """The answer without the others."""
        return replace(self, others=())

    def keys(self) -> Iterator[str]:
        """The names of what it says."""
        return iter(self.to_dict())

    def __getitem__(self, key: str) -> Any:
        return self.to_dict()[key]


NO_ANSWER = Prediction("", 0, 0, 0.0)
"""What stands for a row that could not be answered."""
