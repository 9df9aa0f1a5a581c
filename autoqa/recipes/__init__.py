"""A recipe: which data in which order, and how it is trained; its values and its words.

Imports nothing heavy: the parent process of a search prints recipes, too.
"""

from autoqa.recipes.card import PortionSize, StageSize, begins, full, line, lines
from autoqa.recipes.method import (
    HEADS,
    Adversary,
    Answers,
    Averaging,
    Head,
    Loss,
    Method,
    Schedule,
)
from autoqa.recipes.recipe import (
    RATE_OF_FURTHER_RUN,
    AugmentationUse,
    Portion,
    Recipe,
    Stage,
    TrainingRun,
)

__all__ = [
    "HEADS",
    "RATE_OF_FURTHER_RUN",
    "Adversary",
    "Answers",
    "AugmentationUse",
    "Averaging",
    "Head",
    "Loss",
    "Method",
    "Portion",
    "PortionSize",
    "Recipe",
    "Schedule",
    "Stage",
    "StageSize",
    "TrainingRun",
    "begins",
    "full",
    "line",
    "lines",
]
