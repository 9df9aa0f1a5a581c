"""What a search tries: the Optuna study, its trials, and their rows."""
