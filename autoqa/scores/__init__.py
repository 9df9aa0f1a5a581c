"""Metrics of answers, and what a score is worth: intervals, ladder, public reads."""

# Imported so that they are registered wherever scores are; their order is that of all tables.
from autoqa.scores import metrics as _metrics  # noqa: F401
