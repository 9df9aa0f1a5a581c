"""Metrics of answers, and what a score is worth: intervals, ladder, public reads."""
