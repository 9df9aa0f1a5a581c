"""Examples become windows of tokens with exact labels."""
