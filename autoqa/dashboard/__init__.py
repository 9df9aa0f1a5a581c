"""What Optuna's dashboard shows of a study: notes, plots and files beside the trials."""
