"""A recipe in one line for tables and attributes, and in several for people."""

from autoqa.types import Portion, Recipe, Stage


def line(recipe: Recipe, learning_rate: float) -> str:
    """One line: stages in order, windows, rate."""
    stages = " → ".join(_stage(stage) for stage in recipe.stages) or "nothing"
    return f"{stages}; lr {learning_rate:g}"


def lines(recipe: Recipe, learning_rate: float) -> list[str]:
    """One line per stage, then the rate and the hash."""
    text = [f"stage {number}: {_stage(stage)}" for number, stage in enumerate(recipe.stages, 1)]
    return [*(text or ["nothing"]), f"learning rate {learning_rate:g}, recipe {recipe.hash}"]


def _stage(stage: Stage) -> str:
    portions = " + ".join(_portion(portion) for portion in stage.portions)
    uses = "".join(f" {use.type}" for use in stage.augmentations)
    return f"[{portions}] {stage.length}/{stage.stride}{uses}"


def _portion(portion: Portion) -> str:
    languages = "" if portion.languages is None else f"({','.join(portion.languages)})"
    share = "" if portion.share == 1 else f" {portion.share:.0%}"
    negatives = "" if portion.negatives == 1 else f" negatives {portion.negatives:.0%}"
    return f"{portion.source}{languages}{share}{negatives}"
