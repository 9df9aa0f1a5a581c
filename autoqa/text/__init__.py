"""Words, metrics and span decoding; nothing here needs more than numpy."""
