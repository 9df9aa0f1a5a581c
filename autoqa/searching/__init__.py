"""Optuna proposes recipes, workers train them, the parent records."""
