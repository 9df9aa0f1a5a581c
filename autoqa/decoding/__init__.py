"""Logits of context tokens become spans."""
