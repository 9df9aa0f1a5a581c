"""Rows become examples: where in its context each answer stands."""
