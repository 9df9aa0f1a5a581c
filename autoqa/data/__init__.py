"""Sources become checked examples, split by document, portioned by recipe."""

from autoqa.data.portions import draw
from autoqa.data.prepare import prepare_data
from autoqa.data.study_data import StudyData

__all__ = ["StudyData", "draw", "prepare_data"]
