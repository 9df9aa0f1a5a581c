"""The words of the project as frozen values: examples, answers, spans and recipes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple


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


@dataclass(frozen=True, slots=True)
class Portion:
    """One appearance of a source in a stage.

    Attributes:
        source: Name of the source in the study file.
        languages: Which languages are taken, sorted; ``None`` takes all.
        share: Share of the source's examples, drawn anew at each appearance. Above 1 repeats.
        negatives: Share of the windows without an answer that is kept.
        similar: Share of the source's examples to draw from: those that look most like the
            target's; 1 is all.
    """

    source: str
    languages: tuple[str, ...] | None = None
    share: float = 1.0
    negatives: float = 1.0
    similar: float = 1.0


@dataclass(frozen=True, slots=True)
class AugmentationUse:
    """An augmentation plugin and its options, as (key, JSON value) pairs sorted by key."""

    type: str
    options: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Portions shuffled together.

    Attributes:
        portions: What is shuffled together, in canonical order.
        length: Tokens in a window, question and special tokens included.
        stride: Tokens that two neighbouring windows share.
        augmentations: Applied to this stage only.
    """

    portions: tuple[Portion, ...]
    length: int
    stride: int
    augmentations: tuple[AugmentationUse, ...] = ()


Schedule = Literal["linear", "cosine", "wsd"]
Head = Literal["independent", "conditional"]
Loss = Literal["span", "jaccard"]
Averaging = Literal["none", "ema", "swa"]

Aggregator = Literal["vote", "characters", "vote-only"]
"""How an ensemble's models are joined; see :mod:`autoqa.ensemble.aggregate`."""

VoteBy = Literal["set", "position"]
"""What is voted on: words wherever they stand, or words at one place of the context."""

Weights = Literal["fp16", "onnx", "onnx-int8"]
"""How a bundle stores its models: half precision for torch, or files for ONNX Runtime in single
precision or with 8-bit integers."""


@dataclass(frozen=True, slots=True)
class Method:
    """How a recipe is trained, beyond the backbone's protocol; the defaults are the plain way.

    Attributes:
        schedule: Learning rate after the warm-up: ``linear`` or ``cosine`` decay over the whole
            recipe, or ``wsd``: constant, with linear decay in the last stage only.
        restart: Reset optimizer and schedule before the last stage (the two-stage practice).
        head: ``independent`` scores starts and ends apart; ``conditional`` scores an end given a
            start, for a beam of starts.
        loss: ``span`` is cross-entropy with the labelled ends; ``jaccard`` also rewards ends near
            them, by the token overlap of the span they make.
        dropout_samples: Dropout masks over the encoder's output that the loss is averaged over;
            1 is the plain head.
        averaging: Whether snapshots hold the weights as trained, their exponential moving average
            (``ema``), or their mean over the last quarter of the run (``swa``).
    """

    schedule: Schedule = "linear"
    restart: bool = False
    head: Head = "independent"
    loss: Loss = "span"
    dropout_samples: int = 1
    averaging: Averaging = "none"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Ordered stages in one run: one optimizer state and one learning-rate schedule over all."""

    stages: tuple[Stage, ...]
    method: Method = Method()

    @property
    def hash(self) -> str:
        """Twelve hex digits; equal recipes have equal hashes on every machine."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Recipe":
        """What ``dataclasses.asdict`` made of a recipe, JSON's lists in place of tuples or not.

        Raises:
            KeyError: Something is missing.
            TypeError: Something is there that this version does not know.
        """
        return cls(tuple(map(_stage, content["stages"])), Method(**content["method"]))


def _stage(content: Mapping[str, Any]) -> Stage:
    portions = [
        Portion(**{**portion, "languages": _tupled(portion["languages"])})
        for portion in content["portions"]
    ]
    uses = [
        AugmentationUse(use["type"], _tupled(use["options"])) for use in content["augmentations"]
    ]
    return Stage(tuple(portions), content["length"], content["stride"], tuple(uses))


def _tupled(value: Any) -> Any:
    """JSON lists as the tuples that they were, nested ones too."""
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
