"""The command line's work from Python: searches and what they left."""

from autoqa.run.finished import Run, open_run
from autoqa.run.start import search

__all__ = ["Run", "open_run", "search"]
