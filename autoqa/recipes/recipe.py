"""A recipe's values: its stages, what they hold, and the run that trains it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from autoqa.recipes.method import Method

RATE_OF_FURTHER_RUN = 0.5
"""Share of a run's learning rate at which one of a later round, which begins with trained weights,
goes on (``tests/benchmarks/RESULTS.md``, Rounds)."""


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
        unanswerable: Share of questions without an answer among the examples to draw from; ``None``
            leaves it as it is.
    """

    source: str
    languages: tuple[str, ...] | None = None
    share: float = 1.0
    negatives: float = 1.0
    similar: float = 1.0
    unanswerable: float | None = None


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


@dataclass(frozen=True, slots=True)
class Recipe:
    """Ordered stages in one run: one optimizer state and one learning-rate schedule over all."""

    stages: tuple[Stage, ...]
    method: Method = field(default_factory=Method)

    @property
    def hash(self) -> str:
        """Twelve hex digits; equal recipes have equal hashes on every machine."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """JSON values, tuples in place of lists; see :meth:`Method.to_dict`."""
        content = asdict(self)
        for stage in content["stages"]:
            for portion in stage["portions"]:
                # Version 0.1.0 did not know it: recipes without it keep their hash.
                if portion["unanswerable"] is None:
                    del portion["unanswerable"]
        return {**content, "method": self.method.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Recipe":
        """What :meth:`to_dict` made of a recipe, JSON's lists in place of tuples or not.

        Raises:
            KeyError: Something is missing.
            TypeError: Something is there that this version does not know.
        """
        return cls(tuple(map(_stage_from_dict, content["stages"])), Method(**content["method"]))


def _stage_from_dict(content: Mapping[str, Any]) -> Stage:
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


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """All that decides which weights a backbone is trained to.

    Attributes:
        recipe: What to train on, in which order, and how.
        learning_rate: Peak rate of the encoder.
        seed: Seeds data order, augmentations, dropout and the head.
        begins_with: Ids of the candidates of its study whose mean weights, head included, it
            begins with, sorted; empty for the pretrained weights.
    """

    recipe: Recipe
    learning_rate: float
    seed: int
    begins_with: tuple[str, ...] = ()

    @property
    def rate_from_pretrained(self) -> float:
        """The peak rate that the same run has where it begins with the pretrained weights."""
        return self.learning_rate / (RATE_OF_FURTHER_RUN if self.begins_with else 1.0)

    @property
    def key(self) -> str:
        """Equal for equal runs on every machine; rates are equal to six significant digits."""
        begin = f"/{'+'.join(self.begins_with)}" if self.begins_with else ""
        return f"{self.recipe.hash}/{self.learning_rate:.6g}/{self.seed}{begin}"
