"""Trials written down elsewhere, too: MLflow, Weights & Biases, TensorBoard."""
