"""Answer heads: scores of starts and ends from the encoder's output."""
