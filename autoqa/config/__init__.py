"""A TOML study file becomes one frozen, checked value."""

from autoqa.config.changes import describe_changes
from autoqa.config.load import load_study
from autoqa.config.study import StudyFile

__all__ = ["StudyFile", "describe_changes", "load_study"]
