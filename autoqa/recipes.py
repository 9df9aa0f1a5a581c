"""A recipe: which data in which order, and how it is trained; its values and its words.

Imports nothing heavy: the parent process of a search prints recipes, too.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal


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


Head = str
"""A key of :data:`HEADS`."""

HEADS = {
    "independent": "",
    "conditional": "autoqa.modeling.heads.conditional_end:ConditionalEnd",
}
"""Answer heads by name: ``module:class`` of an :class:`autoqa.modeling.heads.base.AnswerHead`.

Nothing is imported until a model with the head is made. The empty one is the two linear scores
that a transformers model brings along.
"""


Loss = Literal["span", "jaccard"]


Averaging = Literal["none", "ema", "swa"]


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
    """

    recipe: Recipe
    learning_rate: float
    seed: int

    @property
    def key(self) -> str:
        """Equal for equal runs on every machine; rates are equal to six significant digits."""
        return f"{self.recipe.hash}/{self.learning_rate:.6g}/{self.seed}"


@dataclass(frozen=True, slots=True)
class PortionSize:
    """What one appearance of a source came to, over all passes.

    Attributes:
        source: Name in the study file.
        rows: Questions drawn, repetitions counted.
        windows: Windows that are trained on.
        answered: Of them, those that hold the whole answer.
        tokens: Tokens of the windows, special tokens included.
    """

    source: str
    rows: int
    windows: int
    answered: int
    tokens: int


@dataclass(frozen=True, slots=True)
class StageSize:
    """What a stage came to: its portions, in order, and its optimizer steps."""

    portions: tuple[PortionSize, ...]
    steps: int


def line(recipe: Recipe, learning_rate: float) -> str:
    """One line: stages in order, windows, rate, and what of the method is not plain."""
    stages = " → ".join(_stage_line(stage) for stage in recipe.stages) or "nothing"
    method = "".join(f", {part}" for part in _method(recipe.method))
    return f"{stages}; lr {learning_rate:g}{method}"


def full(
    run: TrainingRun,
    sizes: Sequence[StageSize],
    windows_per_second: float | None,
    notes: Sequence[str] = (),
) -> list[str]:
    """The whole card: what goes in, in which order, how much of it, and how long it takes.

    Args:
        run: The recipe with its rate.
        sizes: One per stage.
        windows_per_second: How fast this backbone was trained before; ``None`` if nobody knows.
        notes: Sentences that belong to the run.
    """
    steps = sum(size.steps for size in sizes)
    text = []
    for number, (stage, size) in enumerate(zip(run.recipe.stages, sizes, strict=True), 1):
        windows = sum(part.windows for part in size.portions)
        tokens = sum(part.tokens for part in size.portions)
        uses = "".join(f", {use.type}" for use in stage.augmentations)
        text.append(
            f"stage {number} of {len(sizes)}: windows of {stage.length} that share {stage.stride}"
            f"{uses}: {windows:,} windows, {_rounded(tokens)} tokens, {size.steps:,} steps "
            f"({size.steps / steps:.0%})"
        )
        for portion, part in zip(stage.portions, size.portions, strict=True):
            answered = part.answered / part.windows if part.windows else 0.0
            text.append(
                f"  {_portion_line(portion)}: {part.rows:,} rows, {part.windows:,} windows, "
                f"{answered:.0%} with the answer"
            )
    total = sum(part.windows for size in sizes for part in size.portions)
    method = ", ".join(_method(run.recipe.method)) or "linear schedule"
    expected = (
        "time unknown before the first run"
        if windows_per_second is None
        else f"about {total / windows_per_second / 60:.1f} minutes at "
        f"{windows_per_second:.3g} windows/s"
    )
    text.append(f"learning rate {run.learning_rate:g}, {method}; {total:,} windows, {expected}")
    return [*text, *notes]


def _rounded(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count / 1e3:.0f} k"


def _method(method: Method) -> list[str]:
    """What differs from the plain way, in words."""
    plain = Method()
    changed = {
        field.name: getattr(method, field.name)
        for field in fields(method)
        if getattr(method, field.name) != getattr(plain, field.name)
    }
    words = {
        "schedule": "{} schedule",
        "restart": "optimizer and schedule reset before the last stage",
        "head": "{} head",
        "loss": "{} loss",
        "dropout_samples": "{} dropout samples",
        "averaging": "{} weights",
    }
    return [words[name].format(value) for name, value in changed.items()]


def lines(recipe: Recipe, learning_rate: float) -> list[str]:
    """One line per stage, then the rate and the hash."""
    text = [
        f"stage {number}: {_stage_line(stage)}" for number, stage in enumerate(recipe.stages, 1)
    ]
    method = "".join(f", {part}" for part in _method(recipe.method))
    last = f"learning rate {learning_rate:g}{method}, recipe {recipe.hash}"
    return [*(text or ["nothing"]), last]


def _stage_line(stage: Stage) -> str:
    portions = " + ".join(_portion_line(portion) for portion in stage.portions)
    uses = "".join(f" {use.type}" for use in stage.augmentations)
    return f"[{portions}] {stage.length}/{stage.stride}{uses}"


def _portion_line(portion: Portion) -> str:
    languages = "" if portion.languages is None else f"({','.join(portion.languages)})"
    share = "" if portion.share == 1 else f" {100 * portion.share:.3g}%"
    negatives = "" if portion.negatives == 1 else f" negatives {portion.negatives:.0%}"
    similar = "" if portion.similar == 1 else f" of the {portion.similar:.0%} most similar"
    return f"{portion.source}{languages}{share}{similar}{negatives}"
