"""The chosen ensemble as one folder, and the predictor that opens it."""
