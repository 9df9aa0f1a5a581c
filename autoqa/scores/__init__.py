"""Metrics of answers, and what a score is worth: intervals, ladder, public reads."""

# Imported so that they are registered wherever scores are; their order is that of all tables.
from autoqa.scores import metrics as _metrics  # noqa: F401, I001
from autoqa.scores import squad2 as _squad2  # noqa: F401
from autoqa.scores import mlqa as _mlqa  # noqa: F401
from autoqa.scores import character_f1 as _character_f1  # noqa: F401
from autoqa.scores import anls as _anls  # noqa: F401
