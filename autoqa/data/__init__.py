"""Sources become checked examples, split by document, portioned by recipe."""

from autoqa.data.portions import draw
from autoqa.data.prepare import StudyData, prepare_data

__all__ = ["StudyData", "draw", "prepare_data"]
