"""Blend within a tokenizer, vote across, and choose who sits at the table."""
