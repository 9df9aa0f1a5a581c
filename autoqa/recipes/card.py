"""A recipe in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoqa.recipes.method import Method
from autoqa.recipes.recipe import Portion, Recipe, Stage, TrainingRun


@dataclass(frozen=True, slots=True)
class PortionSize:
    """What one appearance of a source came to, over all passes.

    Attributes:
        source: Name in the study file.
        rows: Questions drawn, repetitions counted.
        windows: Windows that are trained on.
        answered: Of them, those that hold the whole answer.
        tokens: Tokens of the windows, special tokens included.
        unchanged: Of the rows, those that augmentations left as they are; ``None`` where no
            augmentation was asked for rows.
        made: Rows that augmentations made, in place of the others or beside them.
    """

    source: str
    rows: int
    windows: int
    answered: int
    tokens: int
    unchanged: int | None = None
    made: int = 0

    @property
    def augmented(self) -> str:
        """What augmentations did to rows, in words; empty where none was asked."""
        if self.unchanged is None:
            return ""
        if self.made == 0 and self.unchanged == self.rows:
            return " (augmentations changed none)"
        return f" ({self.unchanged:,} left as they are, {self.made:,} made by augmentations)"


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
                f"  {_portion_line(portion)}: {part.rows:,} rows{part.augmented}, "
                f"{part.windows:,} windows, "
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
    return [*([begins(run.begins_with)] if run.begins_with else []), *text, *notes]


def _rounded(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count / 1e3:.0f} k"


_WORDS = {
    "schedule": "{} schedule",
    "restart": "optimizer and schedule reset before the last stage",
    "head": "{} head",
    "loss": "{} loss",
    "dropout_samples": "{} dropout samples",
    "averaging": "{} weights",
    "adversary": "{} adversary",
    "adversary_size": "at {:g} times its usual size",
    "rdrop": "R-Drop {:g}",
    "reinit_layers": "top layers re-initialised: {}",
    "mlm_epochs": "masked-language training first: {:g} epochs",
    "mlm_whole_words": "of whole words",
    "answers": "of several answers in a row: {}",
}
"""What is said of each field of a method that is not plain."""


def _method(method: Method) -> list[str]:
    """What differs from the plain way, in words."""
    return [_WORDS[name].format(value) for name, value in method.changed().items()]


def begins(names: Sequence[str]) -> str:
    """What a run begins with that goes on from candidates, in words."""
    return f"begins with the {'mean ' if len(names) > 1 else ''}weights of {', '.join(names)}"


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
    absent = portion.unanswerable
    none = "" if absent is None else f" {absent:.0%} unanswerable"
    return f"{portion.source}{languages}{share}{similar}{none}{negatives}"
