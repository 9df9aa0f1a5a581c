"""The words of the project as frozen values: examples, answers, spans and recipes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Answer:
    """A fragment of a context.

    Attributes:
        text: The fragment as the annotator gave it.
        start: Its first character in the context (code points, 0-based).
    """

    text: str
    start: int

    @property
    def end(self) -> int:
        """One past the last character in the context."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one context.

    Attributes:
        id: Unique within a source.
        question: The question.
        context: The text that holds the answer, of any length.
        answers: All references; empty where the question has no answer, or none is known.
        language: ISO 639-1 code of the context.
        document: What the context was cut from; rows of one document are never split apart.
        source: Name of the source in the study file.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    language: str
    document: str
    source: str = ""


class Span(NamedTuple):
    """A predicted fragment: ``context[start:end] == text``, higher score is better.

    The empty span (start = end = 0) says that no answer was found.
    """

    start: int
    end: int
    score: float
    text: str


DEFAULT_METRIC = "jaccard"
"""The metric of studies that name none, and of all files from before they could."""

Aggregator = Literal["vote", "characters", "vote-only"]
"""How an ensemble's models are joined; see :mod:`autoqa.ensemble.joining.aggregate`."""

VoteBy = Literal["set", "position"]
"""What is voted on: words wherever they stand, or words at one place of the context."""

Segmentation = Literal["words", "mixed"]
"""Where a text is cut into words: at white space, or beside it around each character of a script
that puts no spaces between words; see :mod:`autoqa.text.segmentation`."""

WeightFormat = Literal["fp16", "onnx", "onnx-int8"]
"""How a bundle stores its models: half precision for torch, or files for ONNX Runtime in single
precision or with 8-bit integers."""

ProgressCallback = Callable[[int, int], None]
"""Called with pieces done and pieces in all."""
