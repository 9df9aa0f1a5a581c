"""Scores of many ensembles at once."""
